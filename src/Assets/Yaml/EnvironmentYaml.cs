using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.Serialization;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets.Yaml;

/// <summary>Environments as YAML: a kind of its own, and inline in jobs and deployments.</summary>
internal sealed class EnvironmentYaml(AssetVersions versions) : IYamlKind
{
    public const string AnonymousName = "CliV2AnonymousEnvironment";

    public string Kind => "environment";

    public async ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        var name = root.Text("name", required: true);
        var version = root.Text("version");
        var (properties, _) = Properties(reading, root);
        if (name is null || properties is null)
        {
            return;
        }

        version ??= await versions.NextAsync(reading.Workspace, AssetType.Environment, name, ct);
        reading.Put(reading.Workspace.Child("environments", name).Child("versions", version), new JsonObject { ["properties"] = properties });
    }

    /// <summary>Adds a file's environment, with its unknown keys reported.</summary>
    public static string? AddFile(YamlReading reading, YamlMap file)
    {
        var id = Add(reading, file);
        file.RejectUnknown();
        return id;
    }

    /// <summary>Adds an inline environment: named when it has name and version, else anonymous by its content.</summary>
    public static string? Add(YamlReading reading, YamlMap map)
    {
        var (name, version) = (map.Text("name"), map.Text("version"));
        var (properties, context) = Properties(reading, map);
        if (properties is null)
        {
            return null;
        }

        if (name is null || version is null)
        {
            // What was uploaded is told apart by its content, everything else by what the map says.
            var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(properties.ToJsonString())));
            (name, version) = (AnonymousName, context is null ? digest : $"{context.Hash}-{digest[..8]}");
            properties["isAnonymous"] = true;
        }

        ArmId id = reading.Workspace.Child("environments", name).Child("versions", version);
        reading.Put(id, new JsonObject { ["properties"] = properties });
        return id.Value;
    }

    private static (JsonObject? Properties, UploadReference? Context) Properties(YamlReading reading, YamlMap map)
    {
        map.Ignore("id", "creation_context", "latest_version", "intellectual_property", "datastore");
        var image = map.Text("image");
        var (build, context) = Build(reading, map);
        var conda = Conda(reading, map);
        if (image is null && !map.Has("conda_file") && !map.Has("build"))
        {
            map.Error(null, "an environment needs 'image', 'conda_file' or both, or 'build'");
            return default;
        }

        if ((map.Has("conda_file") && conda is null) || (map.Has("build") && build is null))
        {
            return default;
        }

        var properties = new JsonObject { ["image"] = image, ["condaFile"] = conda, ["description"] = map.Text("description"), ["osType"] = map.Choice("os_type", ["Linux", "Windows"]) };
        properties["inferenceConfig"] = Inference(map);
        properties["build"] = build;
        properties["tags"] = map.Texts("tags");
        return (Compact(properties), context);
    }

    private static (JsonObject? Build, UploadReference? Context) Build(YamlReading reading, YamlMap map)
    {
        if (map.Map("build") is not { } build)
        {
            return default;
        }

        var path = build.Text("path", required: true);
        var dockerfile = build.Text("dockerfile_path");
        if (path is null)
        {
            return default;
        }

        var context = YamlPaths.IsLocal(path) ? reading.Upload(build, "path", path, UploadKind.Folder) : null;
        return (Compact(new JsonObject { ["contextUri"] = context?.Uri ?? path, ["dockerfilePath"] = dockerfile }), context);
    }

    private static string? Conda(YamlReading reading, YamlMap map)
    {
        if (map.ShapeOf("conda_file") == YamlShape.Map)
        {
            return map.Json("conda_file") is JsonObject inline ? new SerializerBuilder().Build().Serialize(Plain(inline)!) : null;
        }

        if (map.Text("conda_file") is not { } path)
        {
            return null;
        }

        // The text goes on as it is; it is parsed here so that a broken file is reported at its place.
        return reading.TextFile(map, "conda_file", path) is { } text && YamlFiles.Read(YamlPaths.Resolve(map.File, path), text, reading.ProblemList) is not null ? text : null;
    }

    private static JsonObject? Inference(YamlMap map)
    {
        if (map.Map("inference_config") is not { } config)
        {
            return null;
        }

        var routes = new JsonObject();
        foreach (var (key, wire) in (ReadOnlySpan<(string, string)>)[("liveness_route", "livenessRoute"), ("readiness_route", "readinessRoute"), ("scoring_route", "scoringRoute")])
        {
            if (config.Map(key) is { } route)
            {
                routes[wire] = new JsonObject { ["port"] = route.Integer("port", required: true), ["path"] = route.Text("path", required: true) };
            }
        }

        return routes;
    }

    internal static JsonObject Compact(JsonObject properties)
    {
        foreach (var absent in properties.Where(p => p.Value is null).Select(p => p.Key).ToArray())
        {
            properties.Remove(absent);
        }

        return properties;
    }

    private static object? Plain(JsonNode? node) => node switch
    {
        JsonObject map => map.OrderBy(p => p.Key, StringComparer.Ordinal).ToDictionary(p => p.Key, p => Plain(p.Value)),
        JsonArray list => list.Select(Plain).ToList(),
        _ => node.Text(),
    };
}
