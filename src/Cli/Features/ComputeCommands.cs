using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre compute create|update|list|show|delete|start|stop|restart</c>.</summary>
internal static class ComputeCommands
{
    public static Command Create()
    {
        var group = new Command("compute", "Computes: where jobs run.");
        group.Subcommands.Add(CreateOne());
        group.Subcommands.Add(Update());
        group.Subcommands.Add(ResourceVerbs.List("computes", "computes", Shown));
        group.Subcommands.Add(ResourceVerbs.Show("compute", "computes", Shown));
        group.Subcommands.Add(Delete());
        foreach (var verb in (string[])["start", "stop", "restart"])
        {
            group.Subcommands.Add(Move(verb));
        }

        return group;
    }

    private static Option<string> Name() => new("--name", "-n") { Description = "Name of the compute.", Required = true };

    private static Option<int?> Least() => new("--min-instances") { Description = "Fewest nodes; default 0." };

    private static Option<int?> Most() => new("--max-instances") { Description = "Most nodes, each a place for a job." };

    private static Option<int?> Idle() => new("--idle-time-before-scale-down") { Description = "Seconds after which an idle node goes; default 120." };

    private static Verb CreateOne()
    {
        var file = new Option<string?>("--file", "-f") { Description = "YAML file with the compute." };
        var name = new Option<string?>("--name", "-n") { Description = "Name of the compute." };
        var type = new Option<string?>("--type", "-t") { Description = "Type of the compute: AmlCompute or ComputeInstance." };
        var size = new Option<string?>("--size") { Description = "Size of its nodes." };
        var description = new Option<string?>("--description") { Description = "What it is for." };
        var (least, most, idle) = (Least(), Most(), Idle());
        var set = new Option<string[]>("--set") { Description = "Sets a member of the YAML: path=value.", AllowMultipleArgumentsPerToken = true };
        return new Verb(
            "create",
            "Create a compute.",
            async (call, ct) =>
            {
                var values = call.Set(
                    set,
                    ("name", call.Get(name)), ("type", call.Get(type)?.ToLowerInvariant()), ("size", call.Get(size)), ("description", call.Get(description)),
                    ("min_instances", Text(call.Get(least))), ("max_instances", Text(call.Get(most))), ("idle_time_before_scale_down", Text(call.Get(idle))));
                var submission = new YamlSubmission(call.Api);
                if (call.Get(file) is { } yaml)
                {
                    return Shown(await submission.SendAsync("compute", yaml, values, ct));
                }

                return call.Get(name) is null || call.Get(type) is null
                    ? throw new CliException("Give --file, or --name and --type.")
                    : (JsonNode)Shown(await submission.SendTextAsync("compute", "{}", Directory.GetCurrentDirectory(), values, ct));
            },
            file, name, type, size, description, least, most, idle, set);
    }

    private static Verb Update()
    {
        var (name, least, most, idle) = (Name(), Least(), Most(), Idle());
        return new Verb(
            "update",
            "Change how many nodes a compute has.",
            async (call, ct) =>
            {
                var scale = new JsonObject { ["minNodeCount"] = call.Get(least), ["maxNodeCount"] = call.Get(most), ["nodeIdleTimeBeforeScaleDown"] = call.Get(idle) is { } seconds ? $"PT{seconds}S" : null };
                foreach (var absent in scale.Where(pair => pair.Value is null).Select(pair => pair.Key).ToArray())
                {
                    scale.Remove(absent);
                }

                var path = call.Api.Path("computes/" + call.Get(name));
                var body = new JsonObject { ["properties"] = new JsonObject { ["properties"] = new JsonObject { ["scaleSettings"] = scale } } };
                return Shown(await call.Api.SendAsync(HttpMethod.Patch, path, body, ct));
            },
            name, least, most, idle);
    }

    private static Verb Delete()
    {
        var name = Name();
        var yes = new Option<bool>("--yes", "-y") { Description = "Does not ask; this CLI never asks." };
        return new Verb(
            "delete",
            "Delete a compute.",
            async (call, ct) =>
            {
                await call.Api.SendAsync(HttpMethod.Delete, call.Api.Path("computes/" + call.Get(name), "&underlyingResourceAction=Delete"), null, ct);
                return null;
            },
            name, yes);
    }

    private static Verb Move(string verb)
    {
        var name = Name();
        return new Verb(
            verb,
            $"{char.ToUpperInvariant(verb[0])}{verb[1..]} a compute instance.",
            async (call, ct) =>
            {
                await call.Api.SendAsync(HttpMethod.Post, call.Api.Path($"computes/{call.Get(name)}/{verb}"), null, ct);
                return null;
            },
            name);
    }

    /// <summary>A compute by the names that its YAML has.</summary>
    private static JsonObject Shown(JsonObject compute)
    {
        var shown = Projection.Of(compute);
        var inner = compute.Object("properties")?.Object("properties") ?? [];
        var scale = inner.Object("scaleSettings") ?? [];
        shown.Remove("properties");
        shown.Remove("compute_type");
        var own = new (string Name, JsonNode? Value)[]
        {
            ("type", compute.Object("properties")?.Text("computeType")?.ToLowerInvariant()),
            ("size", inner["vmSize"]),
            ("tier", inner.Text("vmPriority") is { } tier ? (tier == "Dedicated" ? "dedicated" : "low_priority") : null),
            ("min_instances", scale["minNodeCount"]),
            ("max_instances", scale["maxNodeCount"]),
            ("idle_time_before_scale_down", scale.Text("nodeIdleTimeBeforeScaleDown") is { } idle ? XmlConvert.ToTimeSpan(idle).TotalSeconds : null),
            ("state", inner["state"]),
        };
        foreach (var (name, value) in own.Where(pair => pair.Value is not null))
        {
            shown[name] = value!.DeepClone();
        }

        return shown;
    }

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
