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
internal sealed class Transitions(IDatabase database, IRuns runs, ITokens tokens, IAssets assets, IOperations operations)
{
    private static readonly string[] BeforeRunning = [JobStatus.Queued, JobStatus.Preparing];
    private static readonly string[] Alive = [JobStatus.Queued, JobStatus.Preparing, JobStatus.Running, JobStatus.Finalizing, JobStatus.CancelRequested];

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
                Follow(scope, job, RunStatus.Queued, JobActions.Queued, new JsonObject { ["compute"] = job.Compute });
            }
        },
        CancellationToken.None);

    public Task RunningAsync(JobRow job, RunningTask task) => database.WriteAsync(
        scope =>
        {
            JobWrites.SetStarted(scope, job.JobId, task.StartedAt, task.NotLimited);
            if (JobWrites.Move(scope, job.JobId, BeforeRunning, JobStatus.Running))
            {
                runs.SetStatus(scope, job.Workspace, job.Name, RunStatus.Running, at: task.StartedAt);
                Announce(scope, job, JobActions.Running);
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
                Follow(scope, job, RunStatus.CancelRequested, JobActions.CancelRequested, new JsonObject { ["reason"] = nameof(StopReason.Timeout) });
            }
        },
        CancellationToken.None);

    /// <summary>
    /// Somebody asks for the end. A job that nothing works on yet (<paramref name="idle"/>) ends here and now. Returns the row as it is afterwards
    /// and, while the end is to come, the operation that will tell; null when there is no such job.
    /// </summary>
    public Task<(JobRow Job, Operation? Operation)?> CancelAsync(ArmId id, Caller caller, string location, bool idle) =>
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

                JobWrites.SetStop(scope, id, StopReason.Canceled, caller.Name);
                if (idle && job.Status == JobStatus.Queued)
                {
                    End(scope, job, Verdict.CanceledBy(caller.Name, exitCode: null), []);
                    return (JobWrites.Find(scope, id)!, null);
                }

                if (job.CancelOperation is { } known)
                {
                    return (job, new Operation(known, job.Workspace.Id, location));
                }

                var operation = operations.Start(scope, job.Workspace.Id, location);
                JobWrites.SetCancelOperation(scope, id, operation.Id);
                if (JobWrites.Move(scope, id, Alive, JobStatus.CancelRequested))
                {
                    runs.SetStatus(scope, job.Workspace, job.Name, RunStatus.CancelRequested);
                    scope.Append(new NewEvent(caller.ObjectId, JobActions.CancelRequested, job.Id));
                }

                return (JobWrites.Find(scope, id)!, operation);
            },
            CancellationToken.None);

    /// <summary>
    /// Ends the job. When an output cannot be registered the job fails instead, saying so. Does nothing to a job that has ended or is gone.
    /// </summary>
    public async Task EndAsync(JobRow job, Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        try
        {
            await database.WriteAsync(scope => EndNow(scope, job, verdict, outputs), CancellationToken.None);
        }
        catch (ProblemException refused)
        {
            var failed = Verdict.Failed("OutputNotPublished", $"The command succeeded, but an output could not be registered: {refused.Problem.Message}", verdict.ExitCode);
            await database.WriteAsync(scope => EndNow(scope, job, failed, outputs), CancellationToken.None);
        }
    }

    private void EndNow(WriteScope scope, JobRow job, Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        if (JobWrites.Find(scope, job.JobId) is { } present && present.Seq == job.Seq && !JobStatus.IsTerminal(present.Status))
        {
            End(scope, present, verdict, outputs);
        }
    }

    private void End(WriteScope scope, JobRow job, Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        var plan = job.ReadPlan();
        foreach (var output in outputs)
        {
            var asset = verdict.Status == JobStatus.Completed ? Register(scope, job, plan, output) : null;
            JobWrites.SetDigest(scope, job.JobId, output.Name, output.Digest, asset?.Value);
        }

        JobWrites.Move(scope, job.JobId, Alive, verdict.Status);
        JobWrites.SetEnd(scope, job.JobId, verdict.ExitCode, verdict.Code, verdict.Message);
        if (job.Started is not null && plan.Outputs.Count > 0)
        {
            runs.SetOutputs(scope, job.Workspace, job.Name, [.. plan.Outputs.Select(output =>
                new RunOutput(output.Key, OutputAssets.IdOf(plan.Location, plan.WorkspaceId, job.Name, output.Key), output.Value.Type))]);
        }

        var error = verdict.Code is null ? null : new RunError(verdict.Code, verdict.Message ?? verdict.Code);
        runs.SetStatus(scope, job.Workspace, job.Name, Enum.Parse<RunStatus>(verdict.Status), error);
        tokens.RevokeJob(scope, job.JobId);
        if (job.CancelOperation is { } operation)
        {
            operations.Succeed(scope, operation);
        }

        Announce(scope, job, verdict.Status switch
        {
            JobStatus.Completed => JobActions.Completed,
            JobStatus.Canceled => JobActions.Canceled,
            _ => JobActions.Failed,
        }, Details(verdict));
    }

    private ArmId? Register(WriteScope scope, JobRow job, JobPlan plan, PublishedOutput output)
    {
        var planned = plan.Outputs[output.Name];
        if (planned.AssetName is null)
        {
            return null;
        }

        var model = JobTypes.IsModel(planned.Type);
        var properties = new JsonObject
        {
            [model ? "modelType" : "dataType"] = planned.Type,
            [model ? "modelUri" : "dataUri"] = planned.Uri,
            ["isAnonymous"] = false,
            ["isArchived"] = false,
            ["properties"] = new JsonObject(),
            ["tags"] = new JsonObject(),
        };
        if (model)
        {
            properties["jobName"] = job.Name;
        }

        var actor = new Caller(plan.Actor.ObjectId, plan.Actor.Name, plan.Actor.Type, plan.Actor.TenantId);
        return assets.Register(scope, job.Workspace, new NewAsset(model ? AssetType.Model : AssetType.Data, planned.AssetName, planned.AssetVersion, properties), actor);
    }

    private void Follow(WriteScope scope, JobRow job, RunStatus status, string action, JsonObject? payload = null)
    {
        runs.SetStatus(scope, job.Workspace, job.Name, status);
        Announce(scope, job, action, payload);
    }

    private static void Announce(WriteScope scope, JobRow job, string action, JsonObject? payload = null) =>
        scope.Append(new NewEvent(Caller.System.ObjectId, action, job.Id, payload?.ToJsonString(ZaffreJson.Options) ?? "{}"));

    private static JsonObject Details(Verdict verdict)
    {
        var details = new JsonObject { ["exitCode"] = verdict.ExitCode };
        if (verdict.Code is not null)
        {
            details["code"] = verdict.Code;
        }

        return details;
    }
}
