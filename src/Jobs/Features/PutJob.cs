using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>PUT: a new job is accepted; of a job that exists only what people say about it may change.</summary>
internal static class PutJob
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapPut("jobs/{name}", HandleAsync).Requires("workspaces/jobs/write");

    private static async Task<IResult> HandleAsync(
        string name, WorkspaceRef workspace, HttpContext context, JobDoors doors, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        var id = workspace.Child("jobs", name);
        var existing = await doors.Resources.FindAsync(id, ct);
        var condition = ConditionOf(context);
        if (existing is null && condition.IfMatch is not null)
        {
            return ArmResults.Problem(ArmErrors.PreconditionFailed(id));
        }

        var outcome = existing is null
            ? await doors.Submission.CreateAsync(workspace, id, body, context.Caller(), ct)
            : await doors.Update.ApplyAsync(existing, body, context.Caller(), condition, ct);
        if (!outcome.TryGet(out var resource, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var answer = await doors.AnswerAsync(resource, workspace, context, ct);
        StoredOnly.Mark(context, doors.Type, resource.Document);
        return ArmResults.Json(existing is null ? StatusCodes.Status201Created : StatusCodes.Status200OK, answer, resource.ETag);
    }

    private static PutCondition ConditionOf(HttpContext context) => new(
        context.Request.Headers.IfMatch is [{ } match] ? match : null,
        context.Request.Headers.IfNoneMatch is [{ } none] ? none : null);
}

/// <summary>What the PUT of a job leads to.</summary>
internal sealed record JobDoors(IResources Resources, JobSubmission Submission, JobUpdate Update, JobResource Type)
{
    /// <summary>What is answered about a job.</summary>
    public async Task<JsonObject> AnswerAsync(Resource job, WorkspaceRef workspace, HttpContext context, CancellationToken ct)
    {
        var answer = ResourceDocument.Answer(job);
        await Type.RenderAsync(new ResourceCall(job.Id, workspace, context.Caller(), context.Request.Query["api-version"].ToString(), context), job, answer, ct);
        return answer;
    }
}
