using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary><c>zaffre environment build|log|cache</c>: environments made real before a job needs them, and what was built.</summary>
internal static class EnvironmentCommands
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public static void AddTo(Command group)
    {
        group.Subcommands.Add(Build());
        group.Subcommands.Add(Log());
        var cache = new Command("cache", "Built environments, which all workspaces of the server share.");
        cache.Subcommands.Add(new Verb("list", "List built environments, the longest unused first.", async (call, ct) => (await call.Api.GetAsync("/zaffre/v1/environments", ct))["value"]?.DeepClone()));
        cache.Subcommands.Add(Remove());
        cache.Subcommands.Add(Prune());
        group.Subcommands.Add(cache);
    }

    private static Verb Build()
    {
        var named = new Argument<string?>("environment") { Description = "Environment as NAME or NAME:VERSION (the newest when none is given).", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--file", "-f") { Description = "YAML file of an environment: it is created, then built." };
        var compute = new Option<string?>("--compute", "-c") { Description = "Compute to build for, where containers depend on it." };
        var verb = new Verb(
            "build",
            "Make an environment real now: prints the log of its build.",
            async (call, ct) =>
            {
                var path = await PathAsync(call, call.Parsed.GetValue(named), call.Get(file), ct);
                var (answer, operation) = await call.Api.StartAsync(path, new JsonObject { ["compute"] = call.Get(compute) }, ct);
                var ended = call.Api.EndAsync(operation, ct);
                if (answer.Text("key") is { } key && answer.Text("state") != "Succeeded")
                {
                    await FollowAsync(call.Api, key, ended, ct);
                }

                await ended;
                return await call.Api.GetAsync(path, ct);
            },
            file, compute);
        verb.Arguments.Add(named);
        return verb;
    }

    private static async Task<string> PathAsync(VerbCall call, string? named, string? file, CancellationToken ct)
    {
        if ((named is null) == (file is null))
        {
            throw new CliException("Give an environment as NAME or NAME:VERSION, or --file.");
        }

        string? version;
        if (file is not null)
        {
            var parts = (await new YamlSubmission(call.Api).SendAsync("environment", file, new Dictionary<string, JsonNode?>(StringComparer.Ordinal), ct)).Text("id")!.Split('/');
            (named, version) = (parts[^3], parts[^1]);
        }
        else
        {
            var split = named!.StartsWith("azureml:", StringComparison.Ordinal) ? named["azureml:".Length..] : named;
            var colon = split.IndexOf(':', StringComparison.Ordinal);
            (named, version) = colon < 0 ? (split.Replace("@latest", "", StringComparison.Ordinal), "latest") : (split[..colon], split[(colon + 1)..]);
        }

        return $"/zaffre/v1{call.Api.WorkspacePath}/environments/{Uri.EscapeDataString(named!)}/versions/{Uri.EscapeDataString(version)}/build";
    }

    // The build may begin a moment after its request was accepted, so the log is asked for until the operation is over.
    private static async Task FollowAsync(ApiClient api, string key, Task ended, CancellationToken ct)
    {
        for (var (over, offset) = (false, 0L); !over;)
        {
            over = ended.IsCompleted;
            offset += await CopyAsync(api, key, offset, ct);
            await Task.WhenAny(ended, Task.Delay(Look, ct));
        }
    }

    private static async Task<long> CopyAsync(ApiClient api, string key, long offset, CancellationToken ct)
    {
        try
        {
            using var response = await api.StreamAsync(string.Create(CultureInfo.InvariantCulture, $"/zaffre/v1{api.WorkspacePath}/environments/builds/{key}/log?follow=true&offset={offset}"), ct);
            await using var log = await response.Content.ReadAsStreamAsync(ct);
            await using var console = Console.OpenStandardOutput();
            var (buffer, copied) = (new byte[4096], 0L);
            while (await log.ReadAsync(buffer, ct) is var read and > 0)
            {
                await console.WriteAsync(buffer.AsMemory(0, read), ct);
                await console.FlushAsync(ct);
                copied += read;
            }

            return copied;
        }
        catch (CliException)
        {
            // Not begun yet.
            return 0;
        }
    }

    private static Verb Log()
    {
        var key = new Option<string>("--key", "-k") { Description = "Key of the build, as a job's message or 'environment cache list' says it.", Required = true };
        return new Verb("log", "Print the log of a build.", async (call, ct) =>
        {
            using var response = await call.Api.StreamAsync($"/zaffre/v1{call.Api.WorkspacePath}/environments/builds/{Uri.EscapeDataString(call.Get(key))}/log", ct);
            Console.Write(await response.Content.ReadAsStringAsync(ct));
            return null;
        }, key);
    }

    private static Verb Remove()
    {
        var key = new Option<string>("--key", "-k") { Description = "Key of the built environment.", Required = true };
        return new Verb("remove", "Remove a built environment that nothing uses.", async (call, ct) =>
        {
            await call.Api.SendAsync(HttpMethod.Delete, "/zaffre/v1/environments/" + Uri.EscapeDataString(call.Get(key)), null, ct);
            return null;
        }, key);
    }

    private static Verb Prune()
    {
        var days = new Option<int>("--unused-days") { Description = "Remove what nothing used for so many days.", DefaultValueFactory = _ => 30 };
        return new Verb(
            "prune",
            "Remove built environments that were not used for long.",
            async (call, ct) => await call.Api.SendAsync(HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"/zaffre/v1/environments/prune?unusedDays={call.Get(days)}"), null, ct),
            days);
    }
}
