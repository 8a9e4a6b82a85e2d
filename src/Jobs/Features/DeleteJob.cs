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
        if (await deletion.PipelineOfAsync(id, ct) is { } pipeline)
        {
            return ArmResults.Problem(ArmErrors.Conflict($"The job '{name}' is a step of the pipeline '{pipeline}' and goes with it; delete the pipeline.", "JobIsStep"));
        }

        return await deletion.DeleteAsync(id, context.Caller(), ct) switch
        {
            null => ArmResults.NoContent(),
            true => Results.Ok(),
            false => ArmResults.Problem(ArmErrors.Conflict($"The job '{name}' has not ended. Cancel it first.", "JobNotTerminal")),
        };
    }
}

/// <summary>Deletes jobs with what belongs to them.</summary>
internal sealed class JobDeletion(IDatabase database, IResources resources, JobTable jobs, IBlobStore store, ITaskLauncher launcher, Claims claims, Orchestrator orchestrator, IEnumerable<IScopedDeletion> deletions)
{
    /// <summary>The name of the pipeline that the job is a step of, or null.</summary>
    public async Task<string?> PipelineOfAsync(ArmId id, CancellationToken ct) =>
        await jobs.FindAsync(id, ct) is { Parent: { } parent } ? new ArmId(parent).Name : null;

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
        var steps = await StepsAsync(job, ct);
        foreach (var step in steps)
        {
            // Its attempt may still be clearing up.
            (await claims.TakeAsync(step.JobId, ct)).Dispose();
            await RemoveFilesAsync(step, ct);
        }

        await RemoveFilesAsync(job, ct);
        return await database.WriteAsync<bool?>(
            scope =>
            {
                if (JobWrites.Find(scope, job.JobId) is not { } present || present.Seq != job.Seq)
                {
                    return null;
                }

                foreach (var (step, deletion) in steps.SelectMany(_ => deletions, (step, deletion) => (step, deletion)))
                {
                    deletion.Delete(scope, step.JobId);
                }

                return resources.Delete(scope, job.JobId, caller);
            },
            CancellationToken.None);
    }

    /// <summary>Every step below a pipeline.</summary>
    private async Task<List<JobRow>> StepsAsync(JobRow job, CancellationToken ct)
    {
        var all = new List<JobRow>();
        foreach (var step in job.IsPipeline ? await jobs.StepsAsync(job.JobId, ct) : [])
        {
            all.Add(step);
            all.AddRange(await StepsAsync(step, ct));
        }

        return all;
    }

    private async Task RemoveFilesAsync(JobRow job, CancellationToken ct)
    {
        var plan = job.ReadPlan();
        await new Gang(launcher, job.TaskId, plan).RemoveAsync(ct);
        await store.DeleteFolderAsync(plan.Artifacts, ct);
    }
}
