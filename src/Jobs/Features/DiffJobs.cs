using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Differences;
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

        var found = await trees.CompareAsync(rows[0], rows[1], ends: true, ct);
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
