using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// DELETE: a job that has ended, with its logs and artifacts. Named outputs are data of their own and stay. Files go first: a crash in
/// between leaves a job that can be deleted again, never files without a job.
/// </summary>
internal static class DeleteJob
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapDelete("jobs/{name}", HandleAsync).Requires("workspaces/jobs/delete");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, HttpContext context, JobDeletion deletion, CancellationToken ct)
    {
        var id = workspace.Child("jobs", name);
        return await deletion.DeleteAsync(id, context.Caller(), ct) switch
        {
            null => ArmResults.NoContent(),
            true => Results.Ok(),
            false => ArmResults.Problem(ArmErrors.Conflict($"The job '{name}' has not ended. Cancel it first.", "JobNotTerminal")),
        };
    }
}

/// <summary>Deletes jobs with what belongs to them.</summary>
internal sealed class JobDeletion(IDatabase database, IResources resources, JobTable jobs, IBlobStore store, ITaskLauncher launcher, Claims claims, Orchestrator orchestrator)
{
    /// <summary>True when deleted, false when the job still lives, null when there is none.</summary>
    public async Task<bool?> DeleteAsync(ArmId id, Caller caller, CancellationToken ct)
    {
        if (await jobs.FindAsync(id, ct) is not { } job)
        {
            return null;
        }

        if (!JobStatus.IsTerminal(job.Status))
        {
            return false;
        }

        // Whoever ended the job may still be clearing up after it.
        var held = await claims.TakeAsync(id, ct);
        try
        {
            return await DeleteAsync(job, caller, ct);
        }
        finally
        {
            held.Dispose();
            await orchestrator.ReleasedAsync(id);
        }
    }

    private async Task<bool?> DeleteAsync(JobRow job, Caller caller, CancellationToken ct)
    {
        await launcher.RemoveAsync(job.TaskId, ct);
        await store.DeleteFolderAsync(job.ReadPlan().Artifacts, ct);
        return await database.WriteAsync<bool?>(
            scope => JobWrites.Find(scope, job.JobId) is { } present && present.Seq == job.Seq ? resources.Delete(scope, job.JobId, caller) : null,
            CancellationToken.None);
    }
}
