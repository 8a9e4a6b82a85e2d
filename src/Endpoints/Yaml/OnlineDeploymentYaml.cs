using System.Text.Json.Nodes;
using System.Xml;
using Zaffre.Assets;
using Zaffre.Endpoints.Online;

namespace Zaffre.Endpoints.Yaml;

/// <summary>Online deployments as <c>az ml</c> writes them. What the server refuses on the REST body is refused there, with its path.</summary>
internal sealed class OnlineDeploymentYaml : IYamlKind
{
    /// <inheritdoc/>
    public string Kind => "online-deployment";

    /// <inheritdoc/>
    public async ValueTask ReadAsync(YamlReading reading, CancellationToken ct)
    {
        var root = reading.Root;
        root.Ignore("id", "provisioning_state", "creation_context");
        var name = Names.Read(root, "name", "deployment");
        var endpoint = Names.Read(root, "endpoint_name", "endpoint");
        if (root.Choice("type", ["managed", "kubernetes"]) == "kubernetes")
        {
            root.Unsupported("type", "Kubernetes online deployments are not supported yet; use managed.");
        }

        if (root.Json("data_collector") is not null)
        {
            root.Unsupported("data_collector", "'data_collector' is not supported yet.");
        }

        var properties = new JsonObject
        {
            ["endpointComputeType"] = "Managed",
            ["description"] = root.Text("description"),
            ["instanceType"] = root.Text("instance_type"),
            ["modelMountPath"] = root.Text("model_mount_path"),
            ["model"] = await reading.ModelAsync(root, "model", ct),
            ["codeConfiguration"] = await CodeAsync(reading, root, ct),
            ["environmentId"] = await reading.EnvironmentAsync(root, "environment", ct),
            ["environmentVariables"] = root.Texts("environment_variables"),
            ["appInsightsEnabled"] = root.Flag("app_insights_enabled"),
            ["egressPublicNetworkAccess"] = root.Choice("egress_public_network_access", ["Enabled", "Disabled"]),
            ["privateNetworkConnection"] = root.Flag("private_network_connection"),
            ["properties"] = root.Texts("properties"),
            ["scaleSettings"] = Scale(root),
            ["requestSettings"] = Requests(root),
            ["livenessProbe"] = Probe(root, "liveness_probe"),
            ["readinessProbe"] = Probe(root, "readiness_probe"),
        };

        // Read whether or not there is something to send: what is never read counts as unknown.
        var tags = root.Texts("tags") ?? [];
        var instances = root.Integer("instance_count") ?? 1;
        if (name is not null && endpoint is not null)
        {
            reading.Put(reading.Workspace.Child(OnlineEndpoint.Type, endpoint).Child("deployments", name), new JsonObject
            {
                ["location"] = reading.WorkspaceInfo.Location,
                ["tags"] = tags,
                ["sku"] = new JsonObject { ["name"] = "Default", ["capacity"] = instances },
                ["properties"] = Names.Compact(properties),
            });
        }
    }

    private static async ValueTask<JsonObject?> CodeAsync(YamlReading reading, YamlMap root, CancellationToken ct)
    {
        if (root.Map("code_configuration") is not { } code)
        {
            return null;
        }

        return Names.Compact(new JsonObject
        {
            ["codeId"] = code.Has("code") ? await reading.CodeAsync(code, "code", ct) : Required(code),
            ["scoringScript"] = code.Text("scoring_script", required: true),
        });
    }

    private static string? Required(YamlMap code) => code.Text("code", required: true);

    private static JsonObject? Scale(YamlMap root)
    {
        if (root.Map("scale_settings") is not { } scale)
        {
            return null;
        }

        if (scale.Choice("type", ["default", "target_utilization"], required: true) == "target_utilization")
        {
            scale.ToJson();
            scale.Unsupported("type", "Scaling by target utilization is not supported yet; use instance_count.");
        }

        return new JsonObject { ["scaleType"] = "Default" };
    }

    private static JsonObject? Requests(YamlMap root) => root.Map("request_settings") is not { } settings ? null : Names.Compact(new JsonObject
    {
        ["maxConcurrentRequestsPerInstance"] = settings.Integer("max_concurrent_requests_per_instance"),
        ["requestTimeout"] = Duration(settings, "request_timeout_ms", 0.001),
        ["maxQueueWait"] = Duration(settings, "max_queue_wait_ms", 0.001),
    });

    private static JsonObject? Probe(YamlMap root, string key) => root.Map(key) is not { } probe ? null : Names.Compact(new JsonObject
    {
        ["failureThreshold"] = probe.Integer("failure_threshold"),
        ["successThreshold"] = probe.Integer("success_threshold"),
        ["initialDelay"] = Duration(probe, "initial_delay", 1),
        ["period"] = Duration(probe, "period", 1),
        ["timeout"] = Duration(probe, "timeout", 1),
    });

    private static string? Duration(YamlMap map, string key, double unit) => map.Integer(key) switch
    {
        null => null,
        >= 0 and var value => XmlConvert.ToString(TimeSpan.FromSeconds(value * unit)),
        _ => Negative(map, key),
    };

    private static string? Negative(YamlMap map, string key)
    {
        map.Error(key, $"'{key}' must not be negative");
        return null;
    }
}
