using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Brings every accepted job to its end. Woken by committed events; at start it first takes up what an earlier server left.
/// </summary>
internal sealed class Orchestrator(JobStores stores, IComputes computes, IEventLog events, Claims claims, AttemptTools tools, PipelineEnd pipelines) : BackgroundService
{
    private const string Computes = "Microsoft.MachineLearningServices/workspaces/computes/";

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Lane> lanes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> work = new();
    private readonly JobTable jobs = stores.Jobs;
    private CancellationToken stopping;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        stopping = stoppingToken;
        try
        {
            // The newest event at once; what happened before is found in the rows.
            var cursor = await events.WaitAsync(-1, stoppingToken);
            await TakeUpAsync(stoppingToken);
            Track(GuardAsync(() => pipelines.Log.RunAsync(stoppingToken), "the logs of pipelines"));
            while (true)
            {
                await events.WaitAsync(cursor, stoppingToken);
                cursor = await ReadAsync(cursor, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(work.Keys);
        }
    }

    private async Task<long> ReadAsync(long cursor, CancellationToken ct)
    {
        while (await events.ReadAsync(cursor, 1000, ct) is { Count: > 0 } batch)
        {
            foreach (var change in batch)
            {
                Read(change);
            }

            cursor = batch[^1].Sequence;
        }

        return cursor;
    }

    private void Read(StoredEvent change)
    {
        if (change.Action.StartsWith(Computes, StringComparison.OrdinalIgnoreCase) && lanes.TryGetValue(change.Subject.ToLowerInvariant(), out var changed))
        {
            changed.ComputeChanged();
        }

        var payload = change.Action.StartsWith(JobActions.Prefix, StringComparison.Ordinal) ? JsonNode.Parse(change.Payload) as JsonObject : null;
        if (payload is null)
        {
            return;
        }

        var pipeline = payload.Text("kind") == JobKind.Pipeline;
        if (change.Action == JobActions.Queued && payload.Text("compute") is { } compute)
        {
            LaneOf(compute.ToLowerInvariant()).Waits((int?)payload["rank"] ?? QueueRank.Default, payload.Text("experiment") ?? "");
        }
        else if (change.Action == JobActions.Retrying)
        {
            TryLater(new ArmId(change.Subject), (long?)payload["due"] ?? 0);
        }
        else if (pipeline && change.Action == JobActions.Finalizing)
        {
            Finish(new ArmId(change.Subject));
        }
        else if (pipeline && change.Action is JobActions.CancelRequested or JobActions.Stopping)
        {
            Track(GuardAsync(() => CancelStepsAsync(new ArmId(change.Subject)), change.Subject));
        }

        if (pipeline || payload.ContainsKey("parent"))
        {
            pipelines.Log.Changed(payload.Text("parent") ?? change.Subject.ToLowerInvariant());
        }
    }

    /// <summary>Brings a pipeline without open steps to its end.</summary>
    private void Finish(ArmId pipeline) => Track(GuardAsync(() => pipelines.RunAsync(pipeline), pipeline.Value));

    /// <summary>Ends what lives below a pipeline that is being stopped; its rows say already why.</summary>
    private async Task CancelStepsAsync(ArmId pipeline)
    {
        foreach (var step in await jobs.StepsAsync(pipeline, stopping))
        {
            if (JobStatus.IsTerminal(step.Status))
            {
                continue;
            }

            if (step.IsPipeline)
            {
                await CancelStepsAsync(step.JobId);
            }
            else
            {
                await CancelAsync(step.JobId, Caller.System, location: null);
            }
        }
    }

    /// <summary>
    /// Ends a job on request, whoever works on it. Null when there is no such job; an operation while the end is to come and a
    /// <paramref name="location"/> is given.
    /// </summary>
    public async Task<(JobRow Job, Operation? Operation)?> CancelAsync(ArmId id, Caller caller, string? location)
    {
        // Held, so that nothing begins to work on a queued job while it is being canceled.
        var held = claims.TryTake(id);
        try
        {
            var outcome = await tools.Transitions.CancelAsync(id, caller, location, idle: held is not null);
            claims.AskStop(id, StopReason.Canceled);
            return outcome;
        }
        finally
        {
            held?.Dispose();
            if (held is not null)
            {
                await ReleasedAsync(id);
            }
        }
    }

    /// <summary>
    /// Takes up every job that has not ended: started ones are found again, queued ones are announced to their lanes. Of those only what may
    /// have been started is read: what has a task's folder.
    /// </summary>
    private async Task TakeUpAsync(CancellationToken ct)
    {
        foreach (var job in await jobs.ActiveAsync(ct))
        {
            await TakeUpAsync(job, ct);
        }

        foreach (var job in await stores.Queue.StartedAsync(tools.Launcher.Names(), ct))
        {
            await ReleasedAsync(job);
        }

        foreach (var (job, due) in await stores.Queue.DueAsync(ct))
        {
            TryLater(job, due);
        }

        foreach (var group in await stores.Queue.GroupsAsync(ct))
        {
            LaneOf(group.Compute).Waits(group.Rank, group.Experiment);
        }

        await RemoveLeftoversAsync(ct);
    }

    /// <summary>A job that was held for a moment: what should have begun meanwhile begins now.</summary>
    public async Task ReleasedAsync(ArmId id)
    {
        if (await jobs.FindAsync(id, CancellationToken.None) is { } job && !JobStatus.IsTerminal(job.Status))
        {
            await TakeUpAsync(job, CancellationToken.None);
        }
    }

    /// <summary>Takes up one job that has not ended and that nobody works on: a queued one is admitted, a started one is found again.</summary>
    private async Task TakeUpAsync(JobRow job, CancellationToken ct)
    {
        if (job.IsPipeline)
        {
            TakeUpPipeline(job);
            return;
        }

        if (job.Status == JobStatus.NotStarted || job is { Status: JobStatus.Queued, Due: not null })
        {
            return;
        }

        var stage = await tools.Launcher.InspectAsync(job.TaskId, ct);
        if (stage != TaskStage.Unknown || job.Status is not (JobStatus.Queued or JobStatus.Preparing))
        {
            var slot = await ReadmitAsync(job, ct);
            LaneOf(job.Compute).Took(job.Experiment, slot.Places);
            Begin(job, slot);
            return;
        }

        if (job.Status == JobStatus.Preparing)
        {
            await tools.Transitions.RequeueAsync(job);
        }

        LaneOf(job.Compute).Waits(job.Rank, job.Experiment);
    }

    /// <summary>Puts a job into the queue when its next try is due. A clock that was set back does not keep it: no pause is longer than that before the last try.</summary>
    private void TryLater(ArmId job, long due) => Track(GuardAsync(
        async () =>
        {
            var left = DateTimeOffset.FromUnixTimeMilliseconds(due) - tools.Time.GetUtcNow();
            var longest = tools.Options.RetryPause * Math.Pow(2, tools.Options.Tries - 1);
            await Task.Delay(TimeSpan.FromTicks(Math.Clamp(left.Ticks, 0, longest.Ticks)), tools.Time, stopping);
            await tools.Transitions.DueAsync(job);
        },
        job.Value));

    /// <summary>A running pipeline is moved by its steps; one that is to end, or whose steps are, is gone on with.</summary>
    private void TakeUpPipeline(JobRow pipeline)
    {
        pipelines.Log.Changed(pipeline.JobId.Key);
        if (pipeline.Status == JobStatus.Finalizing)
        {
            Finish(pipeline.JobId);
        }
        else if (pipeline.Stop is not null)
        {
            Track(GuardAsync(() => CancelStepsAsync(pipeline.JobId), pipeline.Id));
        }
    }

    /// <summary>Folders of jobs that ended right before the server did. One that somebody works on is removed by whoever does.</summary>
    private async Task RemoveLeftoversAsync(CancellationToken ct)
    {
        var left = tools.Launcher.Names();
        foreach (var job in (await jobs.EndedAsync(limit: 100, ct)).Where(job => left.Contains(job.TaskId.Name)))
        {
            using var claim = claims.TryTake(job.JobId);
            if (claim is not null && await tools.Launcher.InspectAsync(job.TaskId, ct) is not TaskStage.Running)
            {
                await new Gang(tools.Launcher, job.TaskId, job.ReadPlan()).RemoveAsync(ct);
            }
        }
    }

    private async Task<ComputeSlot> ReadmitAsync(JobRow job, CancellationToken ct) =>
        (await computes.FindAsync(job.Workspace, job.ReadPlan().Compute, ct)).TryGet(out var target, out _)
            ? computes.Readmit(target, job.Slots)
            : new ComputeSlot(() => { });

    private Lane LaneOf(string compute) => lanes.GetOrAdd(compute, key =>
    {
        var lane = new Lane(key, new LaneTools(jobs, stores.Queue, computes, claims, Begin, Refuse));
        Track(GuardAsync(() => lane.RunAsync(stopping), key));
        return lane;
    });

    private void Begin(JobRow job, ComputeSlot slot) => Work(job, slot, attempt => attempt.RunAsync());

    private void Refuse(JobRow job, Verdict verdict) =>
        Work(job, new ComputeSlot(() => { }), _ => tools.Transitions.EndAsync(job, verdict, []));

    private void Work(JobRow job, ComputeSlot slot, Func<Attempt, Task> drive)
    {
        if (claims.TryTake(job.JobId) is not { } claim)
        {
            GiveBack(job, slot);
            return;
        }

        slot.Run = job.Name;

        // Not on the lane's thread: it goes on to the next job while this one is made ready.
        Track(Task.Run(() => WorkAsync(job, claim, slot, drive)));
    }

    private async Task WorkAsync(JobRow job, Claims.Claim claim, ComputeSlot slot, Func<Attempt, Task> drive)
    {
        await GuardAsync(
            async () =>
            {
                // Read again under the claim: it may have been canceled since it was found.
                if (await jobs.FindAsync(job.JobId, stopping) is { } present && present.Seq == job.Seq && !JobStatus.IsTerminal(present.Status))
                {
                    await drive(new Attempt(tools, present, claim.Stop, stopping));
                }
            },
            job.Id);
        GiveBack(job, slot);
        claim.Dispose();

        // A job made again under the name of one that was deleted waits for this claim, wherever it is queued.
        foreach (var lane in lanes.Values)
        {
            lane.ClaimReleased();
        }
    }

    private void GiveBack(JobRow job, ComputeSlot slot)
    {
        slot.Dispose();
        LaneOf(job.Compute).Gave(job.Experiment, slot.Places);
    }

    /// <summary>
    /// Repeats what fails for a reason of this server (a full disk, say) until it succeeds or the server stops. Every step may be repeated:
    /// a task starts once, and states move forward only.
    /// </summary>
    private async Task GuardAsync(Func<Task> step, string subject)
    {
        for (var pause = TimeSpan.FromSeconds(1); !stopping.IsCancellationRequested; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await step();
                return;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                JobsLog.WorkFailed(tools.Log, exception, subject);
            }

            await Task.Delay(pause, tools.Time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Track(Task task)
    {
        work[task] = true;
        _ = task.ContinueWith(done => work.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}

/// <summary>What the orchestrator reads jobs from.</summary>
internal sealed record JobStores(JobTable Jobs, JobQueue Queue);
