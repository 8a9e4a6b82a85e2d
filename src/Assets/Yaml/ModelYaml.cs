using System.Text.Json.Nodes;
using Zaffre.Web;

namespace Zaffre.Assets.Yaml;

/// <summary>Models as YAML: a kind of its own, and inline in deployments.</summary>
internal sealed class ModelYaml(AssetVersions versions) : IYamlKind
{
    private static readonly string[] Types = ["custom_model", "mlflow_model", "triton_model"];

    public string Kind => "model";

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

        version ??= await versions.NextAsync(reading.Workspace, AssetType.Model, name, ct);
        reading.Put(reading.Workspace.Child("models", name).Child("versions", version), new JsonObject { ["properties"] = properties });
    }

    public static string? AddInline(YamlReading reading, YamlMap map)
    {
        var (name, version) = (map.Text("name"), map.Text("version"));
        var (properties, upload) = Properties(reading, map);
        if (properties is null)
        {
            return null;
        }

        if (name is null || version is null)
        {
            if (upload is null)
            {
                map.Error(null, "a model that is not uploaded from a local path needs 'name' and 'version'");
                return null;
            }

            (name, version) = (upload.Hash, "1");
            properties["isAnonymous"] = true;
        }

        ArmId id = reading.Workspace.Child("models", name).Child("versions", version);
        reading.Put(id, new JsonObject { ["properties"] = properties });
        return id.Value;
    }

    private static (JsonObject? Properties, UploadReference? Upload) Properties(YamlReading reading, YamlMap map)
    {
        map.Ignore("id", "utc_time_created", "creation_context", "job_name", "latest_version", "intellectual_property", "datastore", "system_metadata");
        var type = map.Choice("type", Types) ?? Types[0];
        var path = map.Text("path", required: true);
        var properties = new JsonObject
        {
            ["modelType"] = type,
            ["description"] = map.Text("description"),
            ["stage"] = map.Text("stage"),
            ["flavors"] = map.Json("flavors"),
            ["properties"] = map.Texts("properties"),
            ["tags"] = map.Texts("tags"),
        };
        if (path is null)
        {
            return default;
        }

        var upload = YamlPaths.IsLocal(path) ? reading.Upload(map, "path", path, UploadKind.Any) : null;
        properties["modelUri"] = upload?.Uri ?? path;
        return (EnvironmentYaml.Compact(properties), upload);
    }
}
