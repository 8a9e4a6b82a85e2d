using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>What a PUT on a pipeline that exists says otherwise than the pipeline was made from.</summary>
internal static class PipelineDifferences
{
    private static readonly string[] Members = ["jobType", "jobs", "inputs", "outputs", "settings", "componentId", "computeId"];

    public static bool IsPipeline(JsonObject properties) => JobKind.Pipeline.Equals(properties.Text("jobType"), StringComparison.OrdinalIgnoreCase);

    /// <summary>The members that are sent and mean something else. Clients leave out what is null and write numbers as text.</summary>
    public static IReadOnlyList<string> Of(JsonObject before, JsonObject sent) =>
        [.. Members.Where(name => sent[name] is { } value && !Same(before[name], value))];

    private static bool Same(JsonNode? before, JsonNode? after) => (before, after) switch
    {
        (JsonObject one, JsonObject other) => one.Select(pair => pair.Key).Union(other.Select(pair => pair.Key)).All(name => Same(one[name], other[name])),
        (JsonArray one, JsonArray other) => one.Count == other.Count && one.Zip(other).All(pair => Same(pair.First, pair.Second)),
        (null, JsonObject other) => other.All(pair => Same(null, pair.Value)),
        (JsonObject one, null) => one.All(pair => Same(pair.Value, null)),
        _ => string.Equals(ZaffreJson.Text(before) ?? "", ZaffreJson.Text(after) ?? "", StringComparison.OrdinalIgnoreCase),
    };
}
