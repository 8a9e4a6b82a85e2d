using System.CommandLine;
using System.Text.Json.Nodes;

namespace Zaffre.Cli;

/// <summary><c>zaffre model|data|environment|component create|show|list</c>.</summary>
internal static class AssetCommands
{
    /// <summary>The commands of one kind; <paramref name="pathKey"/> is what its <c>--path</c> (or <c>--image</c>) sets, null when only a file can describe it.</summary>
    public static Command Create(string kind, string collection, string? pathKey, string? defaultType)
    {
        var group = new Command(kind, $"{char.ToUpperInvariant(kind[0])}{kind[1..]} assets.");
        group.Subcommands.Add(pathKey is null ? CreateFromFile(kind) : CreateAsset(kind, pathKey, defaultType));
        group.Subcommands.Add(Show(kind, collection));
        group.Subcommands.Add(List(kind, collection));
        if (kind == "environment")
        {
            EnvironmentCommands.AddTo(group);
        }

        return group;
    }

    private static Verb CreateAsset(string kind, string pathKey, string? defaultType)
    {
        var file = new Option<string?>("--file", "-f") { Description = $"YAML file with the {kind}." };
        var name = new Option<string?>("--name", "-n") { Description = $"Name of the {kind}." };
        var version = new Option<string?>("--version", "-v") { Description = "Version; the next one when omitted." };
        var path = new Option<string?>("--" + pathKey, pathKey == "path" ? "-p" : "-i") { Description = pathKey == "path" ? "Local path, azureml:// or runs:/ address of the content." : "Image that the environment stands for." };
        var type = new Option<string?>("--type", "-t") { Description = "Type of the asset." };
        var set = new Option<string[]>("--set") { Description = "Sets a member of the YAML: path=value.", AllowMultipleArgumentsPerToken = true };
        return new Verb(
            "create",
            $"Create a {kind}.",
            async (call, ct) =>
            {
                var values = call.Set(set, ("name", call.Get(name)), ("version", call.Get(version)), (pathKey, call.Get(path)), ("type", call.Get(type)));
                if (call.Get(file) is { } yaml)
                {
                    return Projection.Of(await new YamlSubmission(call.Api).SendAsync(kind, yaml, values, ct));
                }

                if (call.Get(name) is null || call.Get(path) is null)
                {
                    throw new CliException($"Give --file, or --name and --{pathKey}.");
                }

                return Projection.Of(await FromArgumentsAsync(call.Api, kind, defaultType, values, ct));
            },
            file, name, version, path, type, set);
    }

    private static Verb CreateFromFile(string kind)
    {
        var file = new Option<string>("--file", "-f") { Description = $"YAML file with the {kind}.", Required = true };
        var name = new Option<string?>("--name", "-n") { Description = $"Name of the {kind}." };
        var version = new Option<string?>("--version", "-v") { Description = "Version; the next one when omitted." };
        var set = new Option<string[]>("--set") { Description = "Sets a member of the YAML: path=value.", AllowMultipleArgumentsPerToken = true };
        return new Verb(
            "create",
            $"Create a {kind}.",
            async (call, ct) => Projection.Of(await new YamlSubmission(call.Api).SendAsync(
                kind, call.Get(file), call.Set(set, ("name", call.Get(name)), ("version", call.Get(version))), ct)),
            file, name, version, set);
    }

    // The arguments say everything: an empty YAML in the current folder, so that relative paths mean what they say.
    private static async Task<JsonObject> FromArgumentsAsync(ApiClient api, string kind, string? defaultType, Dictionary<string, JsonNode?> values, CancellationToken ct)
    {
        if (defaultType is not null)
        {
            values.TryAdd("type", defaultType);
        }

        return await new YamlSubmission(api).SendTextAsync(kind, "{}", Directory.GetCurrentDirectory(), values, ct);
    }

    private static Verb Show(string kind, string collection)
    {
        var name = new Option<string>("--name", "-n") { Description = $"Name of the {kind}.", Required = true };
        var version = new Option<string?>("--version", "-v") { Description = "Version; the newest when omitted." };
        return new Verb(
            "show",
            $"Show a version of a {kind}.",
            async (call, ct) =>
            {
                var versions = $"{collection}/{call.Get(name)}/versions";
                if (call.Get(version) is { } wanted)
                {
                    return Projection.Of(await call.Api.GetAsync(call.Api.Path($"{versions}/{wanted}"), ct));
                }

                await foreach (var newest in call.Api.ListAsync(call.Api.Path(versions, "&$orderBy=createdtime%20desc&$top=1"), ct))
                {
                    return Projection.Of(newest);
                }

                throw new CliException($"There is no {kind} named {call.Get(name)}.");
            },
            name, version);
    }

    private static Verb List(string kind, string collection)
    {
        var name = new Option<string?>("--name", "-n") { Description = $"Lists the versions of this {kind}." };
        var most = new Option<int>("--max-results", "-r") { Description = "Most items to list.", DefaultValueFactory = _ => int.MaxValue };
        return new Verb(
            "list",
            $"List {kind} assets in a workspace.",
            async (call, ct) => await call.CollectAsync(call.Api.Path(call.Get(name) is { } one ? $"{collection}/{one}/versions" : collection), call.Get(most), ct),
            name, most);
    }
}
