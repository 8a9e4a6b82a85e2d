using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Differences;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/jobs/{name}/diff?with={other}</c>: what differs between two jobs of a workspace, <c>left</c> the one in the path:
/// <c>{left, right, same, differences: [{step, aspect, what, left, right}]}</c>. Steps of pipelines are matched by their names; <c>step</c> is the
/// way to a step (<c>prepare/clean</c>), empty for the jobs themselves.
/// </summary>
internal static class DiffJobs
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("jobs/{name}/diff", HandleAsync).Requires("workspaces/jobs/read");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, HttpContext context, JobTable jobs, JobTrees trees, CancellationToken ct)
    {
        var with = context.Request.Query["with"].ToString();
        if (with.Length == 0)
        {
            return ArmResults.Problem(ArmErrors.Invalid("with is missing: the name of the job to compare with.", "with"));
        }

        var rows = new List<JobRow>();
        foreach (var id in new[] { workspace.Child("jobs", name), workspace.Child("jobs", with) })
        {
            if (await jobs.FindAsync(id, ct) is not { } row)
            {
                return ArmResults.Problem(ArmErrors.NotFound(id));
            }

            rows.Add(row);
        }

        var found = await trees.CompareAsync(rows[0], rows[1], ct);
        return ArmResults.Json(StatusCodes.Status200OK, new JsonObject
        {
            ["left"] = rows[0].Name,
            ["right"] = rows[1].Name,
            ["same"] = found.Count == 0,
            ["differences"] = new JsonArray([.. found.Select(at => (JsonNode)new JsonObject
            {
                ["step"] = at.Step,
                ["aspect"] = at.Difference.Aspect,
                ["what"] = at.Difference.What,
                ["left"] = at.Difference.Left,
                ["right"] = at.Difference.Right,
            })]),
        });
    }
}

/// <summary>Compares jobs with everything below them.</summary>
internal sealed class JobTrees(JobTable jobs, JobDocuments documents, JobComparison comparison)
{
    /// <summary>Everything that differs, step by step; <c>Step</c> is the way from the jobs to it.</summary>
    public async Task<IReadOnlyList<(string Step, Difference Difference)>> CompareAsync(JobRow left, JobRow right, CancellationToken ct)
    {
        var found = new List<(string, Difference)>();
        await CompareAsync(found, "", left, right, ct);
        return found;
    }

    private async Task CompareAsync(List<(string Step, Difference Difference)> found, string way, JobRow left, JobRow right, CancellationToken ct)
    {
        if (left.Kind != right.Kind)
        {
            found.Add((way, new Difference("step", "kind", left.Kind, right.Kind)));
            return;
        }

        if (!left.IsPipeline)
        {
            found.AddRange((await comparison.OfCommandsAsync(left, right, ct)).Select(difference => (way, difference)));
            return;
        }

        var own = await comparison.OfPipelinesAsync((left, await documents.FindAsync(left, ct) ?? []), (right, await documents.FindAsync(right, ct) ?? []), ct);
        found.AddRange(own.Select(difference => (way, difference)));
        var (old, now) = (await StepsAsync(left, ct), await StepsAsync(right, ct));
        foreach (var name in old.Keys.Union(now.Keys, StringComparer.Ordinal))
        {
            var step = way.Length == 0 ? name : $"{way}/{name}";
            if (old.TryGetValue(name, out var one) && now.TryGetValue(name, out var other))
            {
                await CompareAsync(found, step, one, other, ct);
            }
            else
            {
                found.Add((step, new Difference("step", name, old.GetValueOrDefault(name)?.Status, now.GetValueOrDefault(name)?.Status)));
            }
        }
    }

    private async Task<Dictionary<string, JobRow>> StepsAsync(JobRow pipeline, CancellationToken ct)
    {
        var steps = new Dictionary<string, JobRow>(StringComparer.Ordinal);
        foreach (var step in await jobs.StepsAsync(pipeline.JobId, ct))
        {
            steps[step.Step ?? step.Name] = step;
        }

        return steps;
    }
}
