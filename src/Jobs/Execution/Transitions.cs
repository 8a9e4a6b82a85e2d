using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The transitions of a job: row, run and event in one unit each, conditional on the state before. Writes that end a job take no
/// cancellation.
/// </summary>
internal sealed class Transitions(IDatabase database, IRuns runs, JobEnding ending, IOperations operations, StepProgress steps)
{
    private static readonly string[] BeforeRunning = [JobStatus.Queued, JobStatus.Preparing];
    private static readonly string[] Unstarted = [JobStatus.NotStarted, JobStatus.Queued];

    public Task PreparingAsync(JobRow job) => database.WriteAsync(
        scope =>
        {
            if (JobWrites.Move(scope, job.JobId, [JobStatus.Queued], JobStatus.Preparing))
            {
                Follow(scope, job, RunStatus.Preparing, JobActions.Preparing);
            }
        },
        CancellationToken.None);

    /// <summary>Back to the queue, after a restart found that it never started.</summary>
    public Task RequeueAsync(JobRow job) => database.WriteAsync(
        scope =>
        {
            if (JobWrites.Move(scope, job.JobId, [JobStatus.Preparing], JobStatus.Queued))
            {
                runs.SetStatus(scope, job.Workspace, job.Name, RunStatus.Queued);
                StepProgress.AnnounceQueued(scope, job);
            }
        },
        CancellationToken.None);

    /// <summary>A try failed before the command began: the next one is due later.</summary>
    public Task RetryAsync(JobRow job, string why, DateTimeOffset due) => database.WriteAsync(
        scope =>
        {
            if (JobWrites.Retry(scope, job.JobId, due))
            {
                runs.SetStatus(scope, job.Workspace, job.Name, RunStatus.Queued);
                StepProgress.Announce(scope, job, JobActions.Retrying, ("attempt", job.Attempt + 1), ("due", due.ToUnixTimeMilliseconds()), ("why", why));
                StepProgress.Retrying(scope, job, why);
            }
        },
        CancellationToken.None);

    /// <summary>The next try of a job is due; it waits for places again.</summary>
    public Task DueAsync(ArmId id) => database.WriteAsync(
        scope =>
        {
            if (JobWrites.SetDue(scope, id))
            {
                StepProgress.AnnounceQueued(scope, JobWrites.Find(scope, id)!);
            }
        },
        CancellationToken.None);

    public Task RunningAsync(JobRow job, RunningTask task, EnvironmentLock? made) => database.WriteAsync(
        scope =>
        {
            JobWrites.SetStarted(scope, job.JobId, task.StartedAt, task.NotLimited);
            if (made is not null)
            {
                LockTable.Set(scope, job.JobId, made);
            }

            if (JobWrites.Move(scope, job.JobId, BeforeRunning, JobStatus.Running))
            {
                runs.SetStatus(scope, job.Workspace, job.Name, RunStatus.Running, at: task.StartedAt);
                StepProgress.Announce(scope, job, JobActions.Running);
                StepProgress.Started(scope, job);
            }
        },
        CancellationToken.None);

    public Task FinalizingAsync(JobRow job) => database.WriteAsync(
        scope =>
        {
            if (JobWrites.Move(scope, job.JobId, [JobStatus.Running], JobStatus.Finalizing))
            {
                Follow(scope, job, RunStatus.Finalizing, JobActions.Finalizing);
            }
        },
        CancellationToken.None);

    /// <summary>Its time is over.</summary>
    public Task TimedOutAsync(JobRow job) => database.WriteAsync(
        scope =>
        {
            if (JobWrites.Move(scope, job.JobId, [JobStatus.Running], JobStatus.CancelRequested))
            {
                JobWrites.SetStop(scope, job.JobId, StopReason.Timeout, Caller.System.Name);
                Follow(scope, job, RunStatus.CancelRequested, JobActions.CancelRequested, ("reason", nameof(StopReason.Timeout)));
            }
        },
        CancellationToken.None);

    /// <summary>
    /// Somebody asks for the end. A job that nothing works on yet (<paramref name="idle"/>) ends here and now; of a pipeline what has not started.
    /// Returns the row as it is afterwards and, while the end is to come, the operation that will tell, when a <paramref name="location"/> is
    /// given; null when there is no such job.
    /// </summary>
    public Task<(JobRow Job, Operation? Operation)?> CancelAsync(ArmId id, Caller caller, string? location, bool idle) =>
        database.WriteAsync<(JobRow, Operation?)?>(
            scope =>
            {
                if (JobWrites.Find(scope, id) is not { } job)
                {
                    return null;
                }

                if (JobStatus.IsTerminal(job.Status))
                {
                    return (job, null);
                }

                var asked = job.StopReason is not null;
                JobWrites.SetStop(scope, id, StopReason.Canceled, caller.Name);
                if (job.Status == JobStatus.NotStarted || (idle && Unstarted.Contains(job.Status)))
                {
                    if (job.IsPipeline)
                    {
                        steps.Stop(scope, job, caller.Name);
                    }

                    ending.End(scope, job, Verdict.CanceledBy(job.StopBy ?? caller.Name, exitCode: null), []);
                    return (JobWrites.Find(scope, id)!, null);
                }

                var operation = location is null ? null : OperationOf(scope, job, location);
                if (JobWrites.Move(scope, id, JobEnding.Alive, JobStatus.CancelRequested))
                {
                    runs.SetStatus(scope, job.Workspace, job.Name, RunStatus.CancelRequested);
                }

                if (!asked)
                {
                    StepProgress.Announce(scope, job, JobActions.CancelRequested, caller);
                    StopSteps(scope, job, caller);
                }

                return (JobWrites.Find(scope, id)!, operation);
            },
            CancellationToken.None);

    private Operation OperationOf(WriteScope scope, JobRow job, string location)
    {
        if (job.CancelOperation is { } known)
        {
            return new Operation(known, job.Workspace.Id, location);
        }

        var operation = operations.Start(scope, job.Workspace.Id, location);
        JobWrites.SetCancelOperation(scope, job.JobId, operation.Id);
        return operation;
    }

    private void StopSteps(WriteScope scope, JobRow job, Caller caller)
    {
        if (job.IsPipeline)
        {
            StepWrites.AddLine(scope, job.JobId.Key, $"{caller.Name} canceled the pipeline.");
            steps.Stop(scope, job, caller.Name);
            steps.FinishIfDone(scope, job);
        }
    }

    /// <summary>
    /// Ends the job. When an output cannot be registered the job fails instead, saying so. Does nothing to a job that has ended or is gone.
    /// </summary>
    public async Task EndAsync(JobRow job, Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        try
        {
            await database.WriteAsync(scope => ending.EndNow(scope, job, verdict, outputs), CancellationToken.None);
        }
        catch (ProblemException refused) when (refused.Problem.Kind != ProblemKind.InsufficientStorage)
        {
            var failed = Verdict.Failed("OutputNotPublished", $"The {(job.IsPipeline ? "steps" : "command")} succeeded, but an output could not be registered: {refused.Problem.Message}", verdict.ExitCode) with { Usage = verdict.Usage, Warnings = verdict.Warnings };
            await database.WriteAsync(scope => ending.EndNow(scope, job, job.IsPipeline ? failed with { LastLine = StepWrites.Line(scope.Now, failed.Message!) } : failed, outputs), CancellationToken.None);
        }
    }

    private void Follow(WriteScope scope, JobRow job, RunStatus status, string action, params ReadOnlySpan<(string Name, JsonNode? Value)> details)
    {
        runs.SetStatus(scope, job.Workspace, job.Name, status);
        StepProgress.Announce(scope, job, action, details);
    }
}
