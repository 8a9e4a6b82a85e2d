using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Writing to runs: the run exists, is active, and a job's own token reaches only its job's run and the runs below it.</summary>
internal sealed class RunAccess(IDatabase database)
{
    private const int DeepestTree = 32;

    /// <summary>Runs <paramref name="unit"/> with the run in one write unit.</summary>
    public Task<T> WriteAsync<T>(MlflowCall call, string runId, Func<WriteScope, RunRow, T> unit, CancellationToken ct) => database.WriteAsync(
        scope =>
        {
            var run = Find(scope, call, runId);
            return run.IsDeleted
                ? throw MlflowErrors.Invalid($"The run {run.Id} must be in the 'active' state. Current state is deleted.")
                : unit(scope, run);
        },
        ct);

    public Task WriteAsync(MlflowCall call, string runId, Action<WriteScope, RunRow> unit, CancellationToken ct) => WriteAsync(
        call,
        runId,
        (scope, run) =>
        {
            unit(scope, run);
            return true;
        },
        ct);

    /// <summary>The run, whatever its stage, when the caller may write to it.</summary>
    public static RunRow Find(WriteScope scope, MlflowCall call, string runId)
    {
        var run = RunStore.Find(scope, call.WorkspaceKey, runId) ?? throw MlflowErrors.NoRun(runId);
        CheckJob(scope, call, run.Id);
        return run;
    }

    /// <summary>Refuses a job's token on anything but the job's own run and the runs below it.</summary>
    public static void CheckJob(WriteScope scope, MlflowCall call, string runId)
    {
        if (call.Caller.Job is not { } job)
        {
            return;
        }

        if (InWorkspace(job, call.Workspace))
        {
            var at = runId;
            for (var depth = 0; at is not null && depth < DeepestTree; depth++)
            {
                if (at.Equals(job.Name, StringComparison.OrdinalIgnoreCase))
                {
                    return;
                }

                at = RunStore.Find(scope, call.WorkspaceKey, at)?.Parent;
            }
        }

        throw MlflowErrors.Denied($"The token of job '{job.Name}' may write to the job's own run and its child runs only, not to run '{runId}'.");
    }

    /// <summary>Refuses a job's token altogether.</summary>
    public static void RefuseJob(MlflowCall call, string what)
    {
        if (call.Caller.Job is { } job)
        {
            throw MlflowErrors.Denied($"The token of job '{job.Name}' may not {what}.");
        }
    }

    public static bool InWorkspace(ArmId job, WorkspaceRef workspace) =>
        WorkspaceRef.TryParse(job.Value, out var own, out _) && own.Id == workspace.Id;

    /// <summary>The event of a change to a run that an MLflow client made.</summary>
    public static NewEvent Event(MlflowCall call, RunRow run, string verb) => new(
        call.Caller.ObjectId,
        "Microsoft.MachineLearningServices/workspaces/experiments/runs/" + verb,
        $"{call.Workspace.Id}/experiments/{run.ExperimentId}/runs/{run.Id}");
}
