using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Endpoints.Online;

namespace Zaffre.Endpoints.Yaml;

/// <summary>Online endpoints as <c>az ml</c> writes them.</summary>
internal sealed class OnlineEndpointYaml : IYamlKind
{
    /// <inheritdoc/>
    public string Kind => "online-endpoint";

    /// <inheritdoc/>
    public ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        root.Ignore("id", "provisioning_state", "scoring_uri", "openapi_uri", "kind");
        var name = Names.Read(root, "name", "endpoint");
        if (root.Has("compute"))
        {
            root.Text("compute");
            root.Unsupported("compute", "Endpoints on an attached Kubernetes compute are not supported yet.");
        }

        var mode = root.Choice("auth_mode", ["key", "aml_token", "aad_token"]) ?? "key";
        var properties = new JsonObject
        {
            ["authMode"] = mode switch { "aml_token" => "AMLToken", "aad_token" => "AADToken", _ => "Key" },
            ["description"] = root.Text("description"),
            ["properties"] = root.Texts("properties"),
            ["traffic"] = Shares(root, "traffic"),
            ["mirrorTraffic"] = Shares(root, "mirror_traffic"),
            ["publicNetworkAccess"] = root.Choice("public_network_access", ["Enabled", "Disabled"]),
        };
        var body = new JsonObject
        {
            ["location"] = root.Text("location") ?? reading.WorkspaceInfo.Location,
            ["tags"] = root.Texts("tags"),
            ["identity"] = Identity(root),
            ["properties"] = Names.Compact(properties),
        };
        if (name is not null)
        {
            reading.Put(reading.Workspace.Child(OnlineEndpoint.Type, name), Names.Compact(body));
        }

        return ValueTask.CompletedTask;
    }

    private static JsonObject? Shares(YamlMap root, string key)
    {
        if (root.Map(key) is not { } map)
        {
            return null;
        }

        var shares = new JsonObject();
        foreach (var deployment in map.Keys)
        {
            shares[deployment] = map.Integer(deployment);
        }

        return shares;
    }

    private static JsonObject? Identity(YamlMap root)
    {
        if (root.Map("identity") is not { } identity)
        {
            return null;
        }

        if (identity.Choice("type", ["system_assigned", "user_assigned", "none"]) is "user_assigned")
        {
            identity.Unsupported("type", "User-assigned identities are not supported yet.");
        }

        identity.Ignore("user_assigned_identities", "principal_id", "tenant_id");
        return new JsonObject { ["type"] = "SystemAssigned" };
    }
}
