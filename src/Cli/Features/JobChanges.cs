using System.CommandLine;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre job cancel|archive|restore|update</c>.</summary>
internal static class JobChanges
{
    private static readonly Dictionary<string, string> Members = new(StringComparer.Ordinal)
    {
        ["display_name"] = "displayName", ["description"] = "description", ["tags"] = "tags", ["properties"] = "properties",
    };

    private static readonly string[] Ended = ["Completed", "Failed", "Canceled"];

    public static void AddTo(Command group)
    {
        group.Subcommands.Add(Cancel());
        group.Subcommands.Add(Archive("archive", "Archive a job: lists leave it out.", archived: true));
        group.Subcommands.Add(Archive("restore", "Restore an archived job.", archived: false));
        group.Subcommands.Add(Update());
    }

    private static Option<string> Name() => new("--name", "-n") { Description = "Name of the job.", Required = true };

    private static Verb Cancel()
    {
        var name = Name();
        return new Verb(
            "cancel",
            "Cancel a job, a pipeline with all of its steps.",
            async (call, ct) =>
            {
                var job = await call.Api.GetAsync(call.Api.Path("jobs/" + call.Get(name)), ct);
                if (job.Object("properties")?.Text("status") is { } status && Ended.Contains(status, StringComparer.Ordinal))
                {
                    await Console.Error.WriteLineAsync($"The job {call.Get(name)} has ended as {status}; there is nothing to cancel.");
                    return null;
                }

                await call.Api.SendAsync(HttpMethod.Post, call.Api.Path($"jobs/{call.Get(name)}/cancel"), null, ct);
                return null;
            },
            name);
    }

    private static Verb Archive(string verb, string description, bool archived)
    {
        var name = Name();
        return new Verb(
            verb,
            description,
            async (call, ct) =>
            {
                await ChangeAsync(call.Api, call.Get(name), properties => properties["isArchived"] = archived, ct);
                return null;
            },
            name);
    }

    private static Verb Update()
    {
        var name = Name();
        var set = new Option<string[]>("--set") { Description = "Changes a member: display_name=TEXT, description=TEXT, tags.NAME=TEXT, properties.NAME=TEXT.", AllowMultipleArgumentsPerToken = true };
        var remove = new Option<string[]>("--remove") { Description = "Removes a member: tags.NAME.", AllowMultipleArgumentsPerToken = true };
        return new Verb(
            "update",
            "Change what is said about a job: its display name, description, tags and properties.",
            async (call, ct) =>
            {
                var values = call.Set(set);
                foreach (var path in call.Get(remove) ?? [])
                {
                    values[path] = null;
                }

                return Projection.Of(await ChangeAsync(call.Api, call.Get(name), properties => Apply(properties, values), ct));
            },
            name, set, remove);
    }

    private static void Apply(JsonObject properties, Dictionary<string, JsonNode?> values)
    {
        foreach (var (path, value) in values)
        {
            var parts = path.Split('.', 2);
            var known = Members.TryGetValue(parts[0], out var member);
            var map = parts[0] is "tags" or "properties";
            if (!known || map != (parts.Length == 2))
            {
                throw new CliException($"'{path}' of a job cannot change: display_name, description, tags.NAME and properties.NAME can. For anything else create a new job.");
            }

            if (!map)
            {
                properties[member!] = value;
                continue;
            }

            var within = properties.Object(member!) ?? [];
            properties[member!] = within;
            within.Remove(parts[1]);
            if (value is not null)
            {
                within[parts[1]] = value;
            }
        }
    }

    /// <summary>Sends only what may change; the rest of a job stays.</summary>
    private static async Task<JsonObject> ChangeAsync(ApiClient api, string name, Action<JsonObject> change, CancellationToken ct)
    {
        var path = api.Path("jobs/" + name);
        var now = (await api.GetAsync(path, ct)).Object("properties")!;
        var properties = new JsonObject { ["jobType"] = now.Text("jobType") };
        foreach (var member in Members.Values)
        {
            properties[member] = now[member]?.DeepClone();
        }

        change(properties);
        return await api.SendAsync(HttpMethod.Put, path, new JsonObject { ["properties"] = properties }, ct);
    }
}
