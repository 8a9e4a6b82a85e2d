using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// POST <c>/zaffre/v1{W}/jobs/{name}/rerun</c>: the job once more, from what was stored. The body, which may be missing, can hold <c>name</c>,
/// <c>displayName</c>, <c>experimentName</c>, and <c>environment</c>: <c>locked</c> (the packages of then, which is so without it) or <c>now</c>. 201 with the new job.
/// </summary>
internal static class RerunJob
{
    private static readonly string[] Known = ["name", "displayName", "experimentName", "environment"];

    private static readonly string?[] Environments = [null, "locked", "now"];

    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapPost("jobs/{name}/rerun", HandleAsync).Requires("workspaces/jobs/write");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, HttpContext context, JobRepetition repetition, JobDoors doors, CancellationToken ct)
    {
        if (!(await RequestAsync(context, ct)).TryGet(out var wanted, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        if (!(await repetition.AgainAsync(workspace, workspace.Child("jobs", name), wanted, context.Caller(), ct)).TryGet(out var job, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        return ArmResults.Json(StatusCodes.Status201Created, await doors.AnswerAsync(job, workspace, context, ct), job.ETag);
    }

    private static async Task<Outcome<RerunRequest>> RequestAsync(HttpContext context, CancellationToken ct)
    {
        if (context.Request.ContentLength is null or 0)
        {
            return new RerunRequest(null, null, null);
        }

        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return unreadable;
        }

        foreach (var (member, value) in body)
        {
            if (!Known.Contains(member, StringComparer.Ordinal))
            {
                return ArmErrors.Invalid($"'{member}' is no member of a rerun: {string.Join(", ", Known)}.", member);
            }

            if (value is not null && ZaffreJson.Text(value) is null)
            {
                return ArmErrors.Invalid($"{member} must be a text.", member);
            }
        }

        var environment = body.Text("environment");
        return Environments.Contains(environment, StringComparer.Ordinal)
            ? new RerunRequest(body.Text("name"), body.Text("displayName"), body.Text("experimentName")) { EnvironmentAsNow = environment == "now" }
            : ArmErrors.Invalid($"environment is 'locked' or 'now', not '{environment}'.", "environment");
    }
}
