using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Assets;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Yaml;

/// <summary>A component that a step uses: its id, when it is known, and the types of its ports.</summary>
internal sealed record YamlComponent(string Kind, string? Id, YamlPorts Ports);

/// <summary>
/// The components of one YAML file and of the files that it names. An anonymous one is named by its content, and where its content has local code,
/// by the hash of that, which the client puts in place.
/// </summary>
internal sealed partial class YamlComponents(YamlReading reading, IAssets assets)
{
    private const string Anonymous = "azureml_anonymous";
    private const int MostHashes = 3;
    private const int Deepest = 16;

    private static readonly string[] DataTypes = ["uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"];
    private static readonly string[] AllTypes = [.. DataTypes, "string", "number", "integer", "boolean"];
    private static readonly string[] Modes = ["ro_mount", "rw_mount", "mount", "download", "upload", "direct", "eval_mount", "eval_download", "link"];

    private readonly Dictionary<YamlMap, YamlComponent?> files = [];
    private int depth;

    /// <summary>The component under <c>component</c>: a file, an inline map, or a reference; null when it is missing or wrong (reported).</summary>
    public async Task<YamlComponent?> UseAsync(YamlMap at, CancellationToken ct)
    {
        const string key = "component";
        if (at.ShapeOf(key) is YamlShape.Map)
        {
            return at.Map(key) is { } inline ? await AddAsync(inline, ct) : null;
        }

        if (at.Text(key, required: true) is not { } text)
        {
            return null;
        }

        return YamlReferences.IsLocal(text) ? await FileAsync(at, key, text, ct) : await RegisteredAsync(at, key, text, ct);
    }

    /// <summary>Registers an anonymous component of the given document, unless equal content is registered already.</summary>
    public string Add(JsonObject spec)
    {
        var id = reading.Workspace.Child("components", Anonymous).Child("versions", VersionOf(spec));
        reading.Put(id, new JsonObject { ["properties"] = new JsonObject { ["isAnonymous"] = true, ["componentSpec"] = spec } });
        return id.Value;
    }

    /// <summary>The <c>componentSpec</c> that a map describes; null when it is wrong (reported) or a file is missing still.</summary>
    public async Task<JsonObject?> SpecAsync(YamlMap map, CancellationToken ct)
    {
        map.Ignore("id", "creation_context", "latest_version", "auto_delete_setting");
        var type = map.Text("type") ?? (map.Has("jobs") ? "pipeline" : "command");
        var spec = new JsonObject
        {
            ["name"] = map.Text("name") ?? Anonymous,
            ["version"] = map.Text("version"),
            ["display_name"] = map.Text("display_name"),
            ["description"] = map.Text("description"),
            ["tags"] = map.Texts("tags"),
            ["type"] = type,
            ["is_deterministic"] = map.Flag("is_deterministic"),
            ["properties"] = map.Json("properties"),
            ["inputs"] = Ports(map, "inputs", AllTypes),
            ["outputs"] = Ports(map, "outputs", AllTypes),
        };
        switch (type)
        {
            case "command":
                await CommandAsync(map, spec, ct);
                break;
            case "pipeline":
                spec["jobs"] = await new YamlNodes(reading, this).ReadAsync(map, PortsOf(spec), ct);
                break;
            default:
                WithoutEngineYaml.RefuseComponent(map, type);
                return null;
        }

        return CommandYaml.Compact(spec);
    }

    /// <summary>The types of the ports that a document declares.</summary>
    public static YamlPorts PortsOf(JsonObject spec)
    {
        static Dictionary<string, string> Types(JsonObject? ports) =>
            (ports ?? []).Where(pair => pair.Value is JsonObject).ToDictionary(pair => pair.Key, pair => ((JsonObject)pair.Value!).Text("type") ?? "string", StringComparer.Ordinal);

        return new YamlPorts(Types(spec.Object("inputs")), Types(spec.Object("outputs")));
    }

    private async Task CommandAsync(YamlMap map, JsonObject spec, CancellationToken ct)
    {
        spec["command"] = map.Text("command", required: true);
        spec["code"] = Prefixed(await reading.ComponentCodeAsync(map, withIncludes: true, ct));
        spec["environment"] = Prefixed(await CommandYaml.EnvironmentAsync(reading, map, ct));
        spec["environment_variables"] = map.Texts("environment_variables");
        spec["resources"] = CommandYaml.Resources(map) is { } resources ? SnakeCase.FromCamel(resources) : null;
        spec["queue_settings"] = CommandYaml.Queue(map) is { } queue ? SnakeCase.FromCamel(queue) : null;
        spec["distribution"] = CommandYaml.ComponentDistribution(map);
    }

    private async Task<YamlComponent?> FileAsync(YamlMap at, string key, string path, CancellationToken ct)
    {
        if (reading.File(at, key, path) is not { } file)
        {
            return null;
        }

        if (files.TryGetValue(file, out var known))
        {
            return known;
        }

        if (depth >= Deepest)
        {
            at.Error(key, $"components name components more than {Deepest} deep");
            return null;
        }

        depth++;
        var component = await AddAsync(file, ct);
        depth--;
        file.RejectUnknown();
        return files[file] = component;
    }

    private async Task<YamlComponent?> AddAsync(YamlMap map, CancellationToken ct) =>
        await SpecAsync(map, ct) is { } spec ? new YamlComponent(spec.Text("type")!, Add(spec), PortsOf(spec)) : null;

    private async Task<YamlComponent?> RegisteredAsync(YamlMap at, string key, string reference, CancellationToken ct)
    {
        if ((await assets.ResolveAsync(reading.Workspace, AssetType.Component, reference, ct)).TryGet(out var found, out var problem))
        {
            var spec = found.Properties.Object("componentSpec") ?? [];
            return new YamlComponent(spec.Text("type") ?? "command", found.Id.Value, PortsOf(spec));
        }

        if (problem.Kind == ProblemKind.Unsupported)
        {
            at.Unsupported(key, problem.Message);
        }
        else
        {
            at.Error(key, problem.Message);
        }

        return null;
    }

    private static JsonObject? Ports(YamlMap map, string key, IReadOnlyList<string> types)
    {
        if (map.Map(key) is not { } ports)
        {
            return null;
        }

        var read = new JsonObject();
        foreach (var name in ports.Keys)
        {
            if (ports.Map(name, required: true) is { } port)
            {
                read[name] = CommandYaml.Compact(new JsonObject
                {
                    ["type"] = port.Choice("type", types, required: true),
                    ["description"] = port.Text("description"),
                    ["is_control"] = port.Flag("is_control"),
                    ["early_available"] = port.Flag("early_available"),
                    ["optional"] = port.Flag("optional"),
                    ["default"] = port.Literal("default"),
                    ["min"] = port.Text("min"),
                    ["max"] = port.Text("max"),
                    ["enum"] = port.LiteralList("enum") is { } choices ? new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]) : null,
                    ["mode"] = port.Choice("mode", Modes),
                });
            }
        }

        return read;
    }

    private static string? Prefixed(string? id) => id is not null && id.StartsWith('/') ? "azureml:" + id : id;

    private static string VersionOf(JsonObject spec)
    {
        var text = spec.ToJsonString();
        var hashes = Upload().Matches(text).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToArray();
        if (hashes.Length > MostHashes)
        {
            return Guid.NewGuid().ToString();
        }

        // Which upload it is, is the order of this submission; what it holds is its hash.
        var content = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Upload().Replace(text, "upload"))))[..32];
        return string.Join('-', hashes.Prepend(content));
    }

    [GeneratedRegex(@"\{\{upload\.\d+\.hash\}\}", RegexOptions.None, 1000)]
    private static partial Regex Upload();
}
