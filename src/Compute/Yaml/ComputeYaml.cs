using System.Text.Json.Nodes;
using System.Xml;
using Zaffre.Assets;

namespace Zaffre.Compute.Yaml;

/// <summary>Computes as <c>az ml compute create</c> reads them: clusters and instances.</summary>
internal sealed class ComputeYaml : IYamlKind
{
    private static readonly string[] Types = ["amlcompute", "computeinstance"];
    private static readonly string[] Tiers = ["dedicated", "low_priority", "lowpriority"];

    /// <inheritdoc/>
    public string Kind => "compute";

    /// <inheritdoc/>
    public ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        root.Ignore("id", "creation_context", "provisioning_state", "provisioning_errors", "created_on", "state", "last_operation", "services");
        var name = root.Text("name", required: true);
        var type = TypeOf(root);
        if (type is null)
        {
            root.ToJson();
            return ValueTask.CompletedTask;
        }

        var inner = type == "amlcompute" ? Cluster(root) : Instance(root);
        inner["vmSize"] = root.Text("size");
        inner["enableNodePublicIp"] = root.Flag("enable_node_public_ip");
        if (root.Map("network_settings") is { } network)
        {
            var (_, subnet) = (network.Text("vnet_name"), network.Text("subnet"));
            inner["subnet"] = subnet is null ? null : new JsonObject { ["id"] = subnet };
        }

        var body = Compact(new JsonObject
        {
            ["location"] = root.Text("location"),
            ["tags"] = root.Texts("tags"),
            ["identity"] = Identity(root),
            ["properties"] = Compact(new JsonObject
            {
                ["computeType"] = type == "amlcompute" ? "AmlCompute" : "ComputeInstance",
                ["description"] = root.Text("description"),
                ["resourceId"] = root.Text("resource_id"),
                ["properties"] = Compact(inner),
            }),
        });
        if (name is not null)
        {
            reading.Put(reading.Workspace.Child("computes", name), body);
        }

        return ValueTask.CompletedTask;
    }

    private static string? TypeOf(YamlMap root)
    {
        if (root.Text("type", required: true) is not { } type)
        {
            return null;
        }

        if (Types.FirstOrDefault(known => known.Equals(type, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            return found;
        }

        root.Unsupported("type", $"computes of type {type} are not made from YAML; amlcompute and computeinstance are. Machines are attached by the SDK or az rest.");
        return null;
    }

    private static JsonObject Cluster(YamlMap root)
    {
        var scale = Compact(new JsonObject
        {
            ["minNodeCount"] = root.Integer("min_instances"),
            ["maxNodeCount"] = root.Integer("max_instances"),
            ["nodeIdleTimeBeforeScaleDown"] = Seconds(root.Number("idle_time_before_scale_down")),
        });
        var access = root.Flag("ssh_public_access_enabled");
        return new JsonObject
        {
            ["scaleSettings"] = scale.Count == 0 ? null : scale,
            ["vmPriority"] = root.Choice("tier", Tiers) is { } tier ? (tier == "dedicated" ? "Dedicated" : "LowPriority") : null,
            ["remoteLoginPortPublicAccess"] = access is { } open ? (open ? "Enabled" : "Disabled") : null,
            ["userAccountCredentials"] = root.Map("ssh_settings") is { } ssh
                ? Compact(new JsonObject { ["adminUserName"] = ssh.Text("admin_username"), ["adminUserPassword"] = ssh.Text("admin_password"), ["adminUserSshPublicKey"] = ssh.Text("ssh_key_value") })
                : null,
        };
    }

    private static JsonObject Instance(YamlMap root)
    {
        foreach (var name in (string[])["setup_scripts", "custom_applications", "schedules", "create_on_behalf_of"])
        {
            if (root.Has(name))
            {
                root.Json(name);
                root.Unsupported(name, $"{name} of compute instances is not supported.");
            }
        }

        return new JsonObject
        {
            ["idleTimeBeforeShutdown"] = root.Integer("idle_time_before_shutdown_minutes") is { } minutes ? XmlConvert.ToString(TimeSpan.FromMinutes(minutes)) : root.Text("idle_time_before_shutdown"),
            ["enableOSPatching"] = root.Flag("enable_os_patching"),
            ["enableRootAccess"] = root.Flag("enable_root_access"),
            ["enableSSO"] = root.Flag("enable_sso"),
            ["sshSettings"] = root.Map("ssh_settings") is { } ssh ? Compact(new JsonObject { ["adminPublicKey"] = ssh.Text("ssh_key_value"), ["adminUserName"] = ssh.Text("admin_username") }) : null,
        };
    }

    private static JsonObject? Identity(YamlMap root)
    {
        if (root.Map("identity") is not { } map || map.Text("type", required: true) is not { } type)
        {
            return null;
        }

        var users = map.MapList("user_assigned_identities");
        return Compact(new JsonObject
        {
            ["type"] = type.Equals("system_assigned", StringComparison.OrdinalIgnoreCase) ? "SystemAssigned" : "UserAssigned",
            ["userAssignedIdentities"] = users is null
                ? null
                : new JsonObject(users.Select(user => user.Text("resource_id", required: true)).OfType<string>().Distinct(StringComparer.Ordinal).Select(id => KeyValuePair.Create(id, (JsonNode?)new JsonObject()))),
        });
    }

    private static string? Seconds(double? seconds) => seconds is { } given ? XmlConvert.ToString(TimeSpan.FromSeconds(given)) : null;

    private static JsonObject Compact(JsonObject map)
    {
        foreach (var absent in map.Where(pair => pair.Value is null).Select(pair => pair.Key).ToArray())
        {
            map.Remove(absent);
        }

        return map;
    }
}
