using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// A PUT on a job that exists. Clients send the whole answer back to change one member, so what only answers hold is tolerated, and what
/// a job was made from must be left out or stay the same.
/// </summary>
internal sealed class JobUpdate(IDatabase database, IResources resources, IRuns runs)
{
    private static readonly string[] Changeable = ["tags", "description", "displayName", "isArchived", "properties"];

    public async Task<Outcome<Resource>> ApplyAsync(Resource existing, JsonObject body, Caller caller, PutCondition condition, CancellationToken ct)
    {
        var findings = new Findings();
        var document = Submission.JobSubmission.Document(body);
        if (document["properties"] is not JsonObject sent)
        {
            findings.Invalid("properties", "properties is missing.");
            return findings.Combined;
        }

        CheckChangeable(sent, findings);
        if (findings.Any)
        {
            return findings.Combined;
        }

        if (Conflict(existing, sent) is { } conflict)
        {
            return conflict;
        }

        return await database.WriteAsync(scope => Write(scope, existing.Id, sent, caller, condition), ct);
    }

    /// <summary>Why a job that exists cannot be what a PUT of these properties says; null when only what people say about it differs.</summary>
    public static Problem? Conflict(Resource existing, JsonObject sent) => Differences(existing, sent) is { Count: > 0 } differences
        ? ArmErrors.Conflict(
            $"The job '{existing.Id.Name}' exists and was made from something else ({string.Join(", ", differences)}). " +
            "Only tags, description, displayName, properties and isArchived of a job can change; submit a new job under another name.",
            "JobAlreadyExists")
        : null;

    private Resource Write(WriteScope scope, ArmId id, JsonObject sent, Caller caller, PutCondition condition)
    {
        var present = resources.Find(scope, id) ?? throw new ProblemException(ArmErrors.NotFound(id));
        var document = present.Document.Copy();
        var properties = document["properties"]!.AsObject();
        foreach (var name in Changeable)
        {
            if (sent.ContainsKey(name))
            {
                properties[name] = sent[name]?.DeepClone();
            }
        }

        // What is not the client's to say is not the client's to remove.
        if (present.Properties.Object("properties")?.Text(JobProperties.RerunOf) is { } repeated)
        {
            properties["properties"] ??= new JsonObject();
            properties["properties"]![JobProperties.RerunOf] = repeated;
        }

        var written = resources.Put(scope, present.Id, document, caller, condition);
        var workspace = JobRow.WorkspaceOf(id);
        if (JobWrites.Find(scope, id) is not null && runs.Find(scope, workspace, id.Name) is not null)
        {
            runs.SetDisplayName(scope, workspace, id.Name, properties.Text("displayName") ?? id.Name);
            runs.SetTags(scope, workspace, id.Name, (properties.Object("tags") ?? []).ToDictionary(pair => pair.Key, pair => ZaffreJson.Text(pair.Value) ?? "", StringComparer.Ordinal));
        }

        return written;
    }

    private static void CheckChangeable(JsonObject sent, Findings findings)
    {
        findings.Texts(sent, "tags", "properties");
        findings.Texts(sent, "properties", "properties");
        findings.Scalar(sent, "description", "properties");
        findings.Flag(sent, "isArchived", "properties");
        if (findings.Scalar(sent, "displayName", "properties") is { Length: > 255 } name)
        {
            findings.Invalid("properties.displayName", $"displayName has {name.Length} characters; at most 255 are allowed.");
        }
    }

    /// <summary>Members that say something else than the job was made from. Compared by meaning, not by spelling.</summary>
    private static IReadOnlyList<string> Differences(Resource existing, JsonObject sent)
    {
        if (Pipelines.PipelineDifferences.IsPipeline(existing.Properties))
        {
            return Pipelines.PipelineDifferences.Of(existing.Properties, sent);
        }

        var (before, after) = (Read(existing.Properties), Read(sent));
        var same = new (string Name, bool Same)[]
        {
            ("jobType", string.Equals(sent.Text("jobType"), existing.Properties.Text("jobType"), StringComparison.OrdinalIgnoreCase)),
            ("command", after.Command == before.Command),
            ("environmentId", SameId(after.Environment, before.Environment)),
            ("codeId", SameId(after.Code, before.Code)),
            ("computeId", Last(after.Compute) == Last(before.Compute)),
            ("inputs", SameMap(after.Inputs, before.Inputs, (one, other) => SameId(one.Value, other.Value) && one.Type == other.Type && one.Mode == other.Mode)),
            ("outputs", SameMap(after.Outputs, before.Outputs, (one, other) => one.Type == other.Type && one.Mode == other.Mode && (one.Uri is null || SameId(one.Uri, other.Uri)))),
            ("environmentVariables", SameMap(after.Variables, before.Variables, (one, other) => one == other)),
            ("limits", after.Timeout == before.Timeout),
            ("distribution", after.Gang == before.Gang),
        };
        return [.. same.Where(pair => !pair.Same && sent[pair.Name] is not null).Select(pair => pair.Name)];
    }

    private static CommandSpec Read(JsonObject properties) => CommandReader.Read(properties, new Findings());

    private static string Last(string? id) => (string.IsNullOrEmpty(id) ? "serverless" : id[(id.LastIndexOfAny(['/', ':']) + 1)..]).ToLowerInvariant();

    private static bool SameId(string? one, string? other) => one == other || string.Equals(Plain(one), Plain(other), StringComparison.OrdinalIgnoreCase);

    private static string? Plain(string? id) => id is not null && id.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) && !id.StartsWith("azureml://", StringComparison.OrdinalIgnoreCase)
        ? id["azureml:".Length..]
        : id;

    private static bool SameMap<T>(IReadOnlyDictionary<string, T> one, IReadOnlyDictionary<string, T> other, Func<T, T, bool> same) =>
        one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out var value) && same(pair.Value, value));
}
