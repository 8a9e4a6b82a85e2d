using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>Records what a person, a judge or code says about a trace.</summary>
internal sealed class CreateAssessment(IDatabase database, TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("POST", "/{trace_id}/assessments");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var sent = (await call.ReadAsync(ct)).Json("assessment") ?? throw MlflowErrors.Missing("assessment");
        var id = "a-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        await traces.WriteAsync(
            call,
            TraceAccess.Id(call),
            (scope, trace) =>
            {
                var now = scope.Now.ToUnixTimeMilliseconds();
                AssessmentStore.Insert(scope, AssessmentDocument.Row(sent) with { Trace = trace.Key, Id = id, Created = now, Updated = now });
                if (sent.Text("overrides") is { Length: > 0 } overridden)
                {
                    AssessmentStore.SetValid(scope, trace.Key, overridden, valid: false);
                }
            },
            ct);
        await GetAssessment.AnswerAsync(call, database, id, ct);
    }
}

/// <summary>One assessment.</summary>
internal sealed class GetAssessment(IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("GET", "/{trace_id}/assessments/{assessment_id}");

    public override string Action => "workspaces/experiments/runs/read";

    public override Task HandleAsync(MlflowCall call, CancellationToken ct) => AnswerAsync(call, database, Id(call), ct);

    public static string Id(MlflowCall call) => (string)call.Http.Request.RouteValues["assessment_id"]!;

    public static MlflowException NotFound(string id, string trace) => MlflowErrors.NotFound($"Assessment with ID '{id}' not found for trace '{trace}'");

    public static async Task AnswerAsync(MlflowCall call, IDatabase database, string id, CancellationToken ct)
    {
        var traceId = TraceAccess.Id(call);
        var row = await database.ReadAsync(
            connection => AssessmentStore.Find(connection, (TraceStore.Find(connection, call.WorkspaceKey, traceId) ?? throw TraceAccess.NotFound(traceId)).Key, id), ct)
            ?? throw NotFound(id, traceId);
        await call.WriteAsync(
            json =>
            {
                json.WritePropertyName("assessment");
                TraceWriter.Assessment(row, traceId).WriteTo(json);
            },
            ct);
    }
}

/// <summary>Changes the members that the mask names.</summary>
internal sealed class UpdateAssessment(IDatabase database, TraceAccess traces) : MlflowOperation
{
    private static readonly string[] Changeable = ["assessment_name", "feedback", "expectation", "issue", "rationale", "metadata", "error", "source", "valid"];

    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("PATCH", "/{trace_id}/assessments/{assessment_id}");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var sent = request.Json("assessment") ?? throw MlflowErrors.Missing("assessment");
        var mask = request.RequiredText("update_mask").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(path => AssessmentDocument.Snake(path.Split('.')[0])).Distinct(StringComparer.Ordinal).ToList();
        if (mask.FirstOrDefault(name => !Changeable.Contains(name, StringComparer.Ordinal)) is { } fixedName)
        {
            throw MlflowErrors.InvalidValue("update_mask", $"'{fixedName}'", $"these can be changed: {string.Join(", ", Changeable)}.");
        }

        var id = GetAssessment.Id(call);
        await traces.WriteAsync(
            call,
            TraceAccess.Id(call),
            (scope, trace) =>
            {
                var before = AssessmentStore.Find(scope, trace.Key, id) ?? throw GetAssessment.NotFound(id, trace.Id);
                var document = (JsonObject)JsonNode.Parse(before.Document)!;
                foreach (var name in mask)
                {
                    document[name] = sent[name]?.DeepClone();
                }

                var after = AssessmentDocument.Row(document);
                AssessmentStore.Update(scope, after with { Trace = trace.Key, Id = id, Updated = scope.Now.ToUnixTimeMilliseconds(), Valid = mask.Contains("valid") ? after.Valid : before.Valid });
            },
            ct);
        await GetAssessment.AnswerAsync(call, database, id, ct);
    }
}

/// <summary>Deletes an assessment; the one that it overrode counts again.</summary>
internal sealed class DeleteAssessment(TraceAccess traces) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("DELETE", "/{trace_id}/assessments/{assessment_id}");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = GetAssessment.Id(call);
        await traces.WriteAsync(
            call,
            TraceAccess.Id(call),
            (scope, trace) =>
            {
                var found = AssessmentStore.Find(scope, trace.Key, id) ?? throw GetAssessment.NotFound(id, trace.Id);
                AssessmentStore.Delete(scope, trace.Key, id);
                if ((JsonNode.Parse(found.Document) as JsonObject)?.Text("overrides") is { Length: > 0 } overridden)
                {
                    AssessmentStore.SetValid(scope, trace.Key, overridden, valid: true);
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>The rules of an assessment's message.</summary>
internal static class AssessmentDocument
{
    private const int LongestDocument = 1_000_000;
    private static readonly string[] Kinds = ["feedback", "expectation", "issue"];
    private static readonly string[] FromServer = ["assessment_id", "trace_id", "create_time", "last_update_time"];
    private static readonly string[] Sources = ["HUMAN", "LLM_JUDGE", "CODE"];

    /// <summary>The row of a message, without ids and times; what the server knows itself is not taken from it.</summary>
    public static AssessmentRow Row(JsonObject sent)
    {
        var name = sent.Text("assessment_name") is { Length: > 0 } given ? given : throw MlflowErrors.Missing("assessment.assessment_name");
        if (name.Length > MlflowLimits.Key)
        {
            throw MlflowErrors.Invalid($"Assessment name '{name[..50]}...' had length {name.Length}, which exceeded length limit of {MlflowLimits.Key}");
        }

        if (sent.Object("source")?.Text("source_type") is not { } source || !Sources.Contains(source, StringComparer.Ordinal))
        {
            throw MlflowErrors.Invalid($"Invalid value for parameter 'assessment.source.source_type' supplied: it must be one of {string.Join(", ", Sources)}.");
        }

        var kind = Kinds.FirstOrDefault(member => sent[member] is JsonObject)
            ?? throw MlflowErrors.Invalid("An assessment needs one of 'feedback', 'expectation' and 'issue'.");
        var document = sent.Copy();
        foreach (var member in FromServer)
        {
            document.Remove(member);
        }

        var text = document.ToJsonString(ZaffreJson.Options);
        return text.Length <= LongestDocument
            ? new AssessmentRow(0, 0, "", kind, name, Value(sent.Object(kind)!), sent.Flag("valid") == false ? 0 : 1, 0, 0, text)
            : throw MlflowErrors.Invalid($"An assessment takes at most {LongestDocument.ToString(CultureInfo.InvariantCulture)} characters.");
    }

    /// <summary>Field masks come in JSON's camel case.</summary>
    public static string Snake(string name) => string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? "_" + char.ToLowerInvariant(c) : c.ToString()));

    private static string Value(JsonObject kind) => kind["value"] switch
    {
        JsonValue scalar => scalar.Text() ?? "",
        { } value => value.ToJsonString(ZaffreJson.Options),
        null => kind.Object("serialized_value")?.Text("value") ?? kind.Text("issue_name") ?? "",
    };
}
