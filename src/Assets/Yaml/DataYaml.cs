using System.Text.Json.Nodes;

namespace Zaffre.Assets.Yaml;

/// <summary>Data assets as YAML.</summary>
internal sealed class DataYaml(AssetVersions versions) : IYamlKind
{
    private static readonly string[] Types = ["uri_folder", "uri_file", "mltable"];

    public string Kind => "data";

    public async ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        root.Ignore("id", "creation_context", "latest_version", "properties", "datastore", "auto_delete_setting");
        var (name, version) = (root.Text("name", required: true), root.Text("version"));
        var type = root.Choice("type", Types) ?? Types[0];
        root.Text("path", required: true);
        var uri = await reading.DataUriAsync(root, "path", type, ct);
        var properties = new JsonObject
        {
            ["dataType"] = type,
            ["dataUri"] = uri,
            ["description"] = root.Text("description"),
            ["tags"] = root.Texts("tags"),
        };
        if (name is null || uri is null)
        {
            return;
        }

        version ??= await versions.NextAsync(reading.Workspace, AssetType.Data, name, ct);
        reading.Put(reading.Workspace.Child("data", name).Child("versions", version), new JsonObject { ["properties"] = EnvironmentYaml.Compact(properties) });
    }
}
