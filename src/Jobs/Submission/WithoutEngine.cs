using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission;

/// <summary>Refuses, by name, the members that the wire knows and this server has no engine for. Unknown members are kept.</summary>
internal static class WithoutEngine
{
    private static readonly (string Name, string Why)[] Members =
    [
        ("componentId", "a job from a component is not supported; give command, environment and code"),
        ("notificationSetting", "nothing here sends mail or calls webhooks"),
        ("secretsConfiguration", "secrets of a key vault are not supported; use environmentVariables"),
        ("parentJobName", "child jobs are made by the server only"),
    ];

    private static readonly (string Name, string Why)[] PipelineMembers =
    [
        ("notificationSetting", "nothing here sends mail or calls webhooks"),
        ("sourceJobId", "a pipeline from an earlier job is not supported; send its jobs"),
        ("parentJobName", "child jobs are made by the server only"),
        ("limits", "a pipeline has no time limit of its own; give its steps limits"),
    ];

    /// <summary>As <see cref="Check"/>, for a pipeline's own members; its steps are checked as jobs are.</summary>
    public static void CheckPipeline(JsonObject properties, Findings findings)
    {
        Refuse(properties, PipelineMembers, findings);
        CheckServices(properties, findings);
        CheckIdentity(findings.Map(properties, "identity", "properties"), findings);
    }

    public static void Check(JsonObject properties, Findings findings)
    {
        Refuse(properties, Members, findings);
        CheckServices(properties, findings);
        CheckResources(findings.Map(properties, "resources", "properties"), findings);
        CheckIdentity(findings.Map(properties, "identity", "properties"), findings);
    }

    private static void Refuse(JsonObject properties, IEnumerable<(string Name, string Why)> members, Findings findings)
    {
        foreach (var (name, why) in members)
        {
            if (IsSet(properties[name]))
            {
                findings.Unsupported($"properties.{name}", $"{name} is not supported: {why}.");
            }
        }
    }

    private static void CheckServices(JsonObject properties, Findings findings)
    {
        foreach (var (name, service) in findings.Map(properties, "services", "properties"))
        {
            var own = name is "Studio" or "Tracking";
            if (service is not null && !own)
            {
                var type = (service as JsonObject)?.Text("jobServiceType");
                findings.Unsupported($"properties.services.{name}", $"interactive services ({type ?? name}) are not supported.");
            }
        }
    }

    private static void CheckResources(JsonObject resources, Findings findings)
    {
        const string path = "properties.resources";
        foreach (var name in (string[])["dockerArgs", "dockerArgsList"])
        {
            if (IsSet(resources[name]))
            {
                findings.Unsupported($"{path}.{name}", $"{name} is not supported: jobs run in a sandbox of the host, not in Docker.");
            }
        }

        if (findings.Map(resources, "properties", path).Any(pair => pair.Key.Equals("IsLocal", StringComparison.OrdinalIgnoreCase)))
        {
            findings.Unsupported($"{path}.properties.IsLocal", CommandTargets.LocalIsNotSupported);
        }
    }

    /// <summary>Every identity is kept; a job acts with a token of its own whatever it asks for (docs/stored-only.md).</summary>
    private static void CheckIdentity(JsonObject identity, Findings findings)
    {
        if (findings.Scalar(identity, "identityType", "properties.identity") is { } type && !Identities.Contains(type, StringComparer.OrdinalIgnoreCase))
        {
            findings.Invalid("properties.identity.identityType", $"'{type}' is no identity of a job: {string.Join(", ", Identities)}.");
        }
    }

    private static readonly string[] Identities = ["AMLToken", "UserIdentity", "Managed"];

    private static bool IsSet(JsonNode? node) => node switch
    {
        null => false,
        JsonArray list => list.Count > 0,
        JsonObject map => map.Any(pair => pair.Value is not null),
        _ => node.GetValueKind() is not JsonValueKind.String || node.GetValue<string>().Length > 0,
    };
}

/// <summary>What a job may name as its compute.</summary>
internal static class CommandTargets
{
    public const string LocalIsNotSupported =
        "compute local (a run on the client's own machine) is not supported: leave compute out, or name a compute of the workspace such as serverless.";
}
