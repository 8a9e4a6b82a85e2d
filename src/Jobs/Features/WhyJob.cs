using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/jobs/{name}/why</c>: why a step ran or was reused, and of a pipeline that of every step below it:
/// <c>{name, status, step, decision, reason, summary, comparedWith, reusedFrom, decidedAt, differences: [{what, name, text}]}</c>, or <c>{name, status, steps: [...]}</c>
/// with the way to each step in <c>step</c>. <c>decision</c> is <c>run</c>, <c>reused</c>, or <c>undecided</c> before a step's turn.
/// </summary>
internal static class WhyJob
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("jobs/{name}/why", HandleAsync).Requires("workspaces/jobs/read");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, JobTable jobs, StepReasons reasons, CancellationToken ct)
    {
        var id = workspace.Child("jobs", name);
        return await jobs.FindAsync(id, ct) is { } job
            ? ArmResults.Json(StatusCodes.Status200OK, await reasons.OfAsync(job, ct))
            : ArmResults.Problem(ArmErrors.NotFound(id));
    }
}

/// <summary>Tells decisions as answers.</summary>
internal sealed class StepReasons(IDatabase database, DifferenceDetails details)
{
    private const string TreeSql =
        "WITH RECURSIVE tree (k, way, seq) AS (SELECT key, step, seq FROM jobs WHERE parent = @key "
        + "UNION ALL SELECT j.key, tree.way || '/' || j.step, j.seq FROM jobs j JOIN tree ON j.parent = tree.k) "
        + "SELECT j.id, tree.way, j.status, j.kind, j.reused_from AS ReusedFrom, d.reason FROM tree JOIN jobs j ON j.key = tree.k LEFT JOIN job_decisions d ON d.job = j.key ORDER BY tree.seq";

    /// <summary>A step, or a pipeline with every step below it.</summary>
    public async Task<JsonObject> OfAsync(JobRow job, CancellationToken ct)
    {
        if (!job.IsPipeline)
        {
            return await StepAsync(new TreeRow(job.Id, job.Step, job.Status, job.Kind, job.ReusedFrom, null), ct);
        }

        var steps = new JsonArray();
        foreach (var row in await database.ReadAsync(connection => connection.Query<TreeRow>(TreeSql, new { key = job.JobId.Key }).AsList(), ct))
        {
            if (row.Kind == JobKind.Command)
            {
                steps.Add(await StepAsync(row, ct));
            }
        }

        return new JsonObject { ["name"] = job.Name, ["status"] = job.Status, ["steps"] = steps };
    }

    private async Task<JsonObject> StepAsync(TreeRow row, CancellationToken ct)
    {
        var id = new ArmId(row.Id);
        var answer = new JsonObject { ["name"] = id.Name, ["step"] = row.Way, ["status"] = row.Status };
        if (await details.CompleteAsync(id.Key, ct) is not { } decision)
        {
            (answer["decision"], answer["summary"]) = row switch
            {
                { Way: null } => ("run", Sentences.ByItself),
                _ when JobStatus.IsTerminal(row.Status) => ("none", "did not begin"),
                _ => ("undecided", "waits for other steps, or for its inputs to be read"),
            };
            return answer;
        }

        var differences = decision.ReadDifferences();
        answer["decision"] = decision.Why == Reason.Reused ? "reused" : "run";
        answer["reason"] = decision.Reason;
        answer["summary"] = Sentences.Of(decision.Why, row.ReusedFrom ?? decision.Compared, differences);
        answer["comparedWith"] = decision.Compared is { } compared ? new ArmId(compared).Name : null;
        answer["reusedFrom"] = row.ReusedFrom is { } original ? new ArmId(original).Name : null;
        answer["decidedAt"] = ResourceDocument.Wire(DateTimeOffset.FromUnixTimeMilliseconds(decision.Decided));
        answer["differences"] = new JsonArray([.. differences.Select(difference => (JsonNode)new JsonObject { ["what"] = difference.What, ["name"] = difference.Name, ["text"] = difference.Text })]);
        return answer;
    }

    private sealed record TreeRow(string Id, string? Way, string Status, string Kind, string? ReusedFrom, string? Reason);
}
