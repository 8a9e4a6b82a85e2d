using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// Changes a run's status, end or name. The status of a job's own run belongs to the job: a client that ends it (every
/// <c>mlflow.end_run()</c> inside a job does) is answered, and the status stays the job's.
/// </summary>
internal sealed class UpdateRun(RunAccess runs) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/update");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (status, end, name) = (Status(request.Text("status")), CreateRun.Instant("end_time", request.Long("end_time")), request.Text("run_name"));
        var changed = await runs.WriteAsync(
            call,
            request.RunId(),
            (scope, run) =>
            {
                if (name is not null)
                {
                    RunStore.Rename(scope, run, name);
                }

                if (!run.IsJob && (status is not null || end is not null))
                {
                    var now = scope.Now.ToUnixTimeMilliseconds();
                    RunStore.Move(scope, run, status ?? run.State, end ?? run.Ended ?? now);
                    scope.Append(RunAccess.Event(call, run, "write"));
                }

                return RunStore.Find(scope, run.Key)!;
            },
            ct);
        await call.WriteAsync(json => json.RunInfo("run_info", changed, call.Uris), ct);
    }

    private static RunStatus? Status(string? status) => status switch
    {
        null => null,
        "RUNNING" or "1" => RunStatus.Running,
        "SCHEDULED" or "2" => RunStatus.Scheduled,
        "FINISHED" or "3" => RunStatus.Completed,
        "FAILED" or "4" => RunStatus.Failed,
        "KILLED" or "5" => RunStatus.Canceled,
        _ => throw MlflowErrors.InvalidValue("status", $"'{status}'", "it must be RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."),
    };
}

/// <summary>Deletes a run, restorably. The run of a job that has not ended cannot be deleted.</summary>
internal sealed class DeleteRun(Database.IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/delete");

    public override string Action => "workspaces/experiments/runs/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = (await call.ReadAsync(ct)).RunId();
        RunAccess.RefuseJob(call, "delete runs");
        await database.WriteAsync(
            scope =>
            {
                var run = RunAccess.Find(scope, call, id);
                if (run.IsJob && !run.State.IsTerminal())
                {
                    throw MlflowErrors.Invalid($"The run {run.Id} is a job that has not ended. Cancel the job first.");
                }

                RunStore.SetDeleted(scope, run.Key, deleted: true);
                scope.Append(RunAccess.Event(call, run, "delete"));
                return true;
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>Restores a deleted run.</summary>
internal sealed class RestoreRun(Database.IDatabase database) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/restore");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var id = (await call.ReadAsync(ct)).RunId();
        RunAccess.RefuseJob(call, "restore runs");
        await database.WriteAsync(
            scope =>
            {
                var run = RunAccess.Find(scope, call, id);
                RunStore.SetDeleted(scope, run.Key, deleted: false);
                scope.Append(RunAccess.Event(call, run, "write"));
                return true;
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}
