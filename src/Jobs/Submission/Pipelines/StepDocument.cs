using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>A step is a job whose document the server writes: from its component, and from what its node says.</summary>
internal static class StepDocument
{
    private static readonly string[] FromNodeOrComponent = ["resources", "distribution", "identity", "queue_settings", "services"];

    /// <summary>The <c>properties</c> of a command.</summary>
    public static JsonObject OfCommand(Node node, Component component, Compilation compilation, string command)
    {
        var document = Head(node, component, compilation, "Command");
        document["command"] = command;
        document["environmentId"] = component.Spec["environment"]?.DeepClone();
        document["codeId"] = component.Spec["code"]?.DeepClone();
        document["computeId"] = ZaffreJson.Text(node.Document["computeId"]) is { Length: > 0 } own ? own : compilation.Settings.Compute;
        document["environmentVariables"] = Variables(component.Spec, node.Document);
        document["limits"] = Camel(node.Document["limits"] ?? component.Spec["limits"]);
        foreach (var name in FromNodeOrComponent)
        {
            var given = node.Document[name] is JsonObject { Count: > 0 } map ? map : component.Spec[name];
            document[name == "queue_settings" ? "queueSettings" : name] = Camel(given);
        }

        // A component says type where a node says distribution_type.
        if (document["distribution"] is JsonObject distribution && distribution["distributionType"] is null)
        {
            distribution["distributionType"] = distribution["type"]?.DeepClone();
            distribution.Remove("type");
        }

        if (document["identity"] is JsonObject identity && identity["identityType"] is null)
        {
            identity["identityType"] = IdentityType(ZaffreJson.Text(identity["type"]));
            identity.Remove("type");
        }

        return WithoutNulls(document);
    }

    /// <summary>The wire's name of what nodes and YAML call <c>user_identity</c>, <c>managed_identity</c> and <c>aml_token</c>; null for anything else.</summary>
    public static string? IdentityType(string? type) => type?.ToLowerInvariant() switch
    {
        "user_identity" => "UserIdentity",
        "managed" or "managed_identity" => "Managed",
        "aml_token" => "AMLToken",
        _ => null,
    };

    /// <summary>Puts what was resolved into a command's document, in the form that clients take: resource ids without <c>azureml:</c>, places of outputs.</summary>
    public static void Resolve(JsonObject document, JobPlan plan)
    {
        const string prefix = "azureml:/";
        document["environmentId"] = plan.Environment;
        document["computeId"] = plan.Compute;
        document["outputs"] = Outputs(plan.Outputs);
        if (document.Text("codeId") is { } code && code.StartsWith(prefix + "subscriptions/", StringComparison.OrdinalIgnoreCase))
        {
            document["codeId"] = code[(prefix.Length - 1)..];
        }
    }

    /// <summary>The <c>properties</c> of a nested pipeline.</summary>
    public static JsonObject OfPipeline(Node node, Component component, Compilation compilation)
    {
        var document = Head(node, component, compilation, "Pipeline");
        document["componentId"] = component.Id;
        document["jobs"] = component.Spec["jobs"]?.DeepClone();
        document["settings"] = new JsonObject { ["continue_on_step_failure"] = compilation.Settings.ContinueOnStepFailure };
        return WithoutNulls(document);
    }

    /// <summary>The <c>properties</c> of a step that decides or repeats: to clients a pipeline whose steps are its child runs.</summary>
    public static JsonObject OfControl(Node node, Compilation compilation)
    {
        var document = Head(node, Component.None, compilation, "Pipeline");
        document["jobs"] = new JsonObject();
        document["settings"] = new JsonObject { ["continue_on_step_failure"] = compilation.Settings.ContinueOnStepFailure };
        return WithoutNulls(document);
    }

    /// <summary>The inputs as jobs write them; those without a value are left out.</summary>
    public static JsonObject Inputs(IReadOnlyDictionary<string, Bound> inputs)
    {
        var map = new JsonObject();
        foreach (var (name, bound) in inputs.Where(pair => pair.Value is { HasValue: true, From: null }))
        {
            map[name] = bound.IsLiteral
                ? new JsonObject { ["jobInputType"] = JobTypes.Literal, ["value"] = bound.Value }
                : WithoutNulls(new JsonObject { ["jobInputType"] = bound.Type, ["uri"] = bound.Value, ["mode"] = bound.Mode });
        }

        return map;
    }

    /// <summary>The outputs as jobs write them.</summary>
    public static JsonObject Outputs(IReadOnlyDictionary<string, PlannedOutput> outputs) => new(outputs.Select(pair => KeyValuePair.Create(
        pair.Key,
        (JsonNode?)WithoutNulls(new JsonObject
        {
            ["jobOutputType"] = JobTypes.OnWire(pair.Value.Type),
            ["uri"] = pair.Value.Uri,
            ["mode"] = pair.Value.Mode switch { OutputMode.Upload => "Upload", OutputMode.Direct => "Direct", _ => "ReadWriteMount" },
            ["assetName"] = pair.Value.AssetName,
            ["assetVersion"] = pair.Value.AssetVersion,
        }))));

    private static JsonObject Head(Node node, Component component, Compilation compilation, string type) => new()
    {
        ["jobType"] = type,
        ["displayName"] = ZaffreJson.Text(node.Document["display_name"]) ?? node.Name,
        ["description"] = ZaffreJson.Text(node.Document["description"]) ?? ZaffreJson.Text(component.Spec["description"]),
        ["experimentName"] = compilation.Experiment,
        ["tags"] = node.Document["tags"]?.DeepClone() ?? new JsonObject(),
        ["properties"] = node.Document["properties"]?.DeepClone() ?? new JsonObject(),
    };

    private static JsonObject Variables(JsonObject spec, JsonObject node)
    {
        var merged = new JsonObject();
        foreach (var map in new[] { spec.Object("environment_variables"), node.Object("environment_variables") })
        {
            foreach (var (name, value) in map ?? [])
            {
                merged[name] = value?.DeepClone();
            }
        }

        return merged;
    }

    private static JsonNode? Camel(JsonNode? node) => node is JsonObject map ? SnakeCase.ToCamel(map) : node?.DeepClone();

    private static JsonObject WithoutNulls(JsonObject map)
    {
        foreach (var absent in map.Where(pair => pair.Value is null).Select(pair => pair.Key).ToArray())
        {
            map.Remove(absent);
        }

        return map;
    }
}
