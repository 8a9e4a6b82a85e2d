using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.History;

/// <summary>Run history's documents.</summary>
internal static class RunHistory
{
    /// <summary>The run as <c>GET runs/{id}</c> and <c>children</c> show it.</summary>
    public static JsonObject Document(Run run, string rootId, IReadOnlyDictionary<string, string> tags, IReadOnlyDictionary<string, string> properties) => new()
    {
        ["runNumber"] = run.Key,
        ["rootRunId"] = rootId,
        ["runId"] = run.Id,
        ["parentRunId"] = run.Parent,
        ["experimentId"] = run.ExperimentId,
        ["experimentName"] = run.Experiment,
        ["name"] = run.DisplayName,
        ["displayName"] = run.DisplayName,
        ["description"] = tags.GetValueOrDefault("mlflow.note.content", ""),
        ["status"] = run.Status.ToString(),
        ["runType"] = run.Type ?? "azureml.mlflow",
        ["runTypeV2"] = new JsonObject { ["orchestrator"] = "Execution", ["traits"] = new JsonArray() },
        ["dataContainerId"] = "dcid." + run.Id,
        ["createdUtc"] = Time(run.Created),
        ["startTimeUtc"] = Time(run.Started),
        ["endTimeUtc"] = Time(run.Ended),
        ["lastModifiedUtc"] = Time(run.Ended ?? run.Started ?? run.Created),
        ["createdBy"] = User(run),
        ["lastModifiedBy"] = User(run),
        ["createdFrom"] = null,
        ["userId"] = run.User,
        ["error"] = Error(run),
        ["warnings"] = null,
        ["compute"] = run.Target is null ? null : new JsonObject { ["target"] = run.Target, ["targetType"] = "local" },
        ["target"] = run.Target,
        ["services"] = new JsonObject(),
        ["properties"] = new JsonObject(properties.Select(property => KeyValuePair.Create(property.Key, (JsonNode?)property.Value))),
        ["tags"] = new JsonObject(tags.Where(tag => !tag.Key.StartsWith("mlflow.", StringComparison.Ordinal)).Select(tag => KeyValuePair.Create(tag.Key, (JsonNode?)tag.Value))),
        ["hidden"] = run.Deleted,
    };

    /// <summary>The error as the clients dump it, or null.</summary>
    public static JsonObject? Error(Run run) => run.Error is not { } error ? null : new JsonObject
    {
        ["error"] = new JsonObject
        {
            ["code"] = error.Code,
            ["message"] = error.Message,
            ["messageParameters"] = new JsonObject(),
            ["details"] = new JsonArray(),
        },
        ["time"] = Time(run.Ended),
        ["componentName"] = "Zaffre",
    };

    /// <summary>
    /// The type in run history's Pascal case. Models are folders here: both SDK generations fail to download an output that
    /// is reported as a model.
    /// </summary>
    public static string TypeOf(RunOutput output) => output.Type.ToLowerInvariant() switch
    {
        "uri_file" => "UriFile",
        "mltable" => "MLTable",
        _ => "UriFolder",
    };

    public static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    private static JsonObject User(Run run) => new() { ["userObjectId"] = run.User, ["userName"] = run.User };
}
