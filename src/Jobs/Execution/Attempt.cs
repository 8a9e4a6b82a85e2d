using System.Globalization;
using Microsoft.Extensions.Logging;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>What an attempt works with.</summary>
internal sealed record AttemptTools(
    JobTable Jobs, Transitions Transitions, Preparation Preparation, InputsKept Inputs, ITaskLauncher Launcher, Metering Metering, IGpus Gpus, IStaging Staging, IBlobStore Store, IRuns Runs, DiskGuard Disk, JobOptions Options, TimeProvider Time, ILogger<Orchestrator> Log);

/// <summary>
/// Drives one job from its slot to its end: prepare, start, wait, finish. Holds nothing that a restart could lose: everything is found
/// again in the row and in the task's folder. When the server stops, the task goes on.
/// </summary>
internal sealed class Attempt(AttemptTools tools, JobRow job, StopRequest stop, CancellationToken server)
{
    private const int KillSignal = 9;
    private const int TerminationSignal = 15;

    private static readonly PublishedOutput[] NoOutputs = [];

    private readonly JobPlan plan = job.ReadPlan();

    private Gang Tasks => field ??= new Gang(tools.Launcher, job.TaskId, plan);

    /// <summary>Takes the job from where it stands to its end. Doing it again after a failure goes on from there.</summary>
    public async Task RunAsync()
    {
        try
        {
            var stage = await Tasks.InspectAsync(server);
            if (stage == TaskStage.Unknown && job.Started is null)
            {
                await StartAsync();
            }
            else
            {
                await AdoptAsync(stage);
            }
        }
        finally
        {
            foreach (var task in Tasks.Ids)
            {
                tools.Gpus.Give(task);
            }
        }
    }

    private async Task StartAsync()
    {
        if (job.StopReason is { } reason)
        {
            stop.Ask(reason);
        }

        if (!(await PreparedAsync()).TryGet(out var prepared, out var problem))
        {
            await EndUnstartedAsync(problem);
            return;
        }

        if (stop.Reason is not null)
        {
            await EndUnstartedAsync(Stopped());
            return;
        }

        var launched = await Tasks.StartAsync(prepared.Specs, tools.Options.Grace, server);
        if (launched.TryGet(out var running, out var refused))
        {
            var told = tools.Transitions.RunningAsync(job, running, prepared.Lock);
            await WriteSystemLogAsync([.. prepared.Explanation, .. running.NotLimited]);
            await FinishAsync(running.StartedAt, told);
        }
        else if (refused.Kind == ProblemKind.Conflict)
        {
            // This very attempt was started before a restart: it is waited for.
            await AdoptAsync(TaskStage.Running);
        }
        else
        {
            await EndUnstartedAsync(refused with { Code = refused.Kind is ProblemKind.InsufficientStorage ? "DiskFull" : "LaunchFailed" });
        }
    }

    /// <summary>A job whose process was started before this server was.</summary>
    private async Task AdoptAsync(TaskStage stage)
    {
        var started = job.StartedAt;
        if (started is null && stage is TaskStage.Ended or TaskStage.Lost && await Tasks.NeverBeganAsync(server) is { } why)
        {
            await EndUnstartedAsync(new Problem(ProblemKind.Invalid, "LaunchFailed", why) { Transient = true });
            return;
        }

        if (started is null && await Tasks.CompleteStartAsync(tools.Options.Grace, server) is { Kind: not ProblemKind.Conflict } problem)
        {
            await EndUnstartedAsync(problem with { Code = "LaunchFailed" });
            return;
        }

        if (started is null && stage is TaskStage.Running or TaskStage.Ended)
        {
            var found = new RunningTask(job.TaskId, tools.Time.GetUtcNow());
            await tools.Transitions.RunningAsync(job, found, tools.Staging.LockOf(job.TaskId));
            started = found.StartedAt;
        }

        if (job.StopReason is { } reason)
        {
            stop.Ask(reason);
        }

        await FinishAsync(started, Task.CompletedTask);
    }

    private async Task<Outcome<PreparedJob>> PreparedAsync()
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(server, stop.Token);
        try
        {
            var preparing = tools.Preparation.PrepareAsync(job, plan, either.Token);
            if (!preparing.IsCompleted && await Task.WhenAny(preparing, Task.Delay(tools.Options.PreparingShownAfter, tools.Time, either.Token)) != preparing)
            {
                await tools.Transitions.PreparingAsync(job);
            }

            return await preparing;
        }
        catch (OperationCanceledException) when (stop.Reason is not null && !server.IsCancellationRequested)
        {
            return Stopped();
        }
        catch (IOException exception)
        {
            return new Problem(ProblemKind.InsufficientStorage, "PreparationFailed", $"The job's files could not be made ready: {exception.Message}");
        }
    }

    /// <summary>
    /// Waits for the end and writes it. A short job ends before <paramref name="running"/>, the commit that says it runs, is durable: nothing waits for that, as the
    /// commit of the end comes after it in the queue. That it publishes is told when it takes a while.
    /// </summary>
    private async Task FinishAsync(DateTimeOffset? started, Task running)
    {
        var age = new TimeLimit(tools.Time).AgeOf(tools.Launcher.Age(job.TaskId), started);
        using var guarded = tools.Disk.Watch(job, Tasks.Ids, stop);
        await using var meter = tools.Metering.Begin(job, Tasks.Ids, age, server);
        if (await Task.WhenAny(running, tools.Launcher.WaitAsync(job.TaskId, server)) == running)
        {
            await running;
        }

        var end = await EndedAsync(age);
        var records = await Tasks.RecordsAsync(CancellationToken.None);
        var verdict = await JudgeAsync(end) with { Usage = await meter.EndAsync(records) };

        // What it read may be gone by now.
        var staged = tools.Preparation.StagingOf(job, plan with { Code = null, Inputs = new Dictionary<string, PlannedInput>(StringComparer.Ordinal) });
        var unpublished = staged.TryGet(out var stagings, out _) ? stagings.SelectMany(tools.Staging.OpenOutputs).Distinct(StringComparer.Ordinal).ToArray() : [];
        verdict = await WarnAsync(verdict, [.. records.Select(record => record.ContainedBy).OfType<string>().Where(_ => verdict.Status != JobStatus.Failed).Distinct(StringComparer.Ordinal), .. unpublished]);
        var outputs = await PublishedAsync(verdict, staged);
        await Task.WhenAll(
            running,
            EndAsync(outputs.TryGet(out var published, out var problem) ? verdict : Verdict.Failed("OutputNotPublished", problem.Message, verdict.ExitCode) with { Usage = verdict.Usage, Warnings = verdict.Warnings }, published ?? []));
    }

    private async Task<Verdict> WarnAsync(Verdict verdict, IReadOnlyList<string> warnings)
    {
        await WriteSystemLogAsync(warnings, append: true);
        return verdict with { Warnings = warnings };
    }

    /// <summary>Waits for the end of the tasks, and brings it about when somebody asks for it or the time is over.</summary>
    private async Task<GangEnd> EndedAsync(TimeSpan age)
    {
        var ended = Tasks.WaitAsync(tools.Options.Grace, server);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(server, stop.Token);
        var over = new TimeLimit(tools.Time).OverAsync(plan.Timeout, age, done.Token);
        if (await Task.WhenAny(ended, over) == ended)
        {
            await done.CancelAsync();
            return await ended;
        }

        server.ThrowIfCancellationRequested();
        if (stop.Reason is null)
        {
            await tools.Transitions.TimedOutAsync(job);
        }

        // What fills the disk gets no time for more of it.
        await Tasks.StopAsync(stop.Reason ?? StopReason.Timeout, stop.Reason is StopReason.DiskLimit ? TimeSpan.Zero : tools.Options.Grace, server);
        return await ended;
    }

    private async Task<Verdict> JudgeAsync(GangEnd end)
    {
        if (end.Exit.Succeeded)
        {
            return Verdict.Of(end.Exit, line: null, plan.Timeout, stoppedBy: null);
        }

        if (end.Exit is { Stopped: null, Signal: KillSignal or TerminationSignal })
        {
            // On a full disk the reason could not be kept beside the task.
            end = end with { Exit = end.Exit with { Stopped = stop.Reason } };
        }

        var blame = await Blame.OfAsync(end, plan, tools.Store, CancellationToken.None);
        var line = await LogTail.FindCauseAsync(tools.Store, plan.Artifacts.Child(blame.Log), CancellationToken.None);
        var present = end.Exit.Stopped is null ? job : await tools.Jobs.FindAsync(job.JobId, CancellationToken.None);
        var verdict = end.Exit.Stopped is StopReason.DiskLimit ? Verdict.DiskLimit(end.Exit, stop.Told) : Verdict.Of(end.Exit, line, plan.Timeout, present?.StopBy, blame.Log);
        return blame.Name(verdict.Code == "UserError" && tools.Disk.IsLow ? Verdict.DiskFull(end.Exit, line, tools.Disk.Told) : verdict, end.Of);
    }

    private async Task<Outcome<PublishedOutput[]>> PublishedAsync(Verdict verdict, Outcome<IReadOnlyList<StagingRequest>> staged)
    {
        if (verdict.Status != JobStatus.Completed || (plan.Outputs.Count == 0 && plan.Reuse is null))
        {
            return NoOutputs;
        }

        // Not here: it reads files before it waits for anything.
        var publishing = Task.Run(() => PublishAsync(staged));
        if (plan.Outputs.Count > 0 && await Task.WhenAny(publishing, Task.Delay(tools.Options.FinalizingShownAfter, tools.Time)) != publishing)
        {
            await tools.Transitions.FinalizingAsync(job);
        }

        return await publishing;
    }

    private async Task<Outcome<PublishedOutput[]>> PublishAsync(Outcome<IReadOnlyList<StagingRequest>> staged)
    {
        try
        {
            if (!staged.TryGet(out var stagings, out var unplaced))
            {
                return unplaced;
            }

            foreach (var staging in stagings)
            {
                if (tools.Staging.Publish(staging) is { } problem)
                {
                    return problem;
                }
            }

            return await tools.Inputs.PublishAsync(job, plan, await ControlValues.ToldAsync(tools.Runs, job, plan));
        }
        catch (IOException exception)
        {
            return new Problem(ProblemKind.Invalid, "OutputNotPublished", exception.Message);
        }
    }

    private static Problem Stopped() => new(ProblemKind.Conflict, "JobCanceled", "The job was canceled before it started.");

    /// <summary>The command never began: the job ends, or is tried again when the reason may pass.</summary>
    private async Task EndUnstartedAsync(Problem problem)
    {
        if (problem.Transient && stop.Reason is null && job.Attempt < tools.Options.Tries)
        {
            await RetryAsync(problem);
            return;
        }

        var verdict = stop.Reason is null
            ? tools.Disk.IsLow ? Verdict.Failed("DiskFull", $"{problem.Message.TrimEnd('.')}. {tools.Disk.Told}. What to do: free space there and submit the job again.") : Verdict.Failed(problem.Code, problem.Message)
            : Verdict.CanceledBy((await tools.Jobs.FindAsync(job.JobId, CancellationToken.None))?.StopBy ?? "Somebody", exitCode: null);
        await WriteSystemLogAsync([verdict.Message!]);
        await EndAsync(verdict, []);
    }

    private async Task RetryAsync(Problem problem)
    {
        var pause = tools.Options.RetryPause * Math.Pow(2, job.Attempt - 1);
        var why = string.Create(CultureInfo.InvariantCulture, $"try {job.Attempt} of {tools.Options.Tries} failed before the command began: ({problem.Code}) {problem.Message.TrimEnd('.')}. The next one begins in {pause.TotalSeconds:0.###} s.");
        await WriteSystemLogAsync([why]);
        await Tasks.RemoveAsync(CancellationToken.None);
        await tools.Transitions.RetryAsync(job, why, tools.Time.GetUtcNow() + pause);
    }

    private async Task EndAsync(Verdict verdict, IReadOnlyList<PublishedOutput> outputs)
    {
        await tools.Transitions.EndAsync(job, verdict, outputs);
        await Tasks.RemoveAsync(CancellationToken.None);
    }

    /// <summary>What the server did for the job, beside what the job itself wrote; what it said of earlier tries stays.</summary>
    private async Task WriteSystemLogAsync(IReadOnlyList<string> lines, bool append = false)
    {
        var said = System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
        append |= job.Attempt > 1;

        // What ends a try or the job may be done again, after a restart.
        if (lines.Count > 0 && !(append && await EndsSystemLogAsync(said)) && tools.Store.WriteLog(SystemLog, said, append) is { } problem)
        {
            JobsLog.SystemLogNotWritten(tools.Log, job.Id, problem.Message);
        }
    }

    private BlobAddress SystemLog => plan.Artifacts.Child("system_logs/zaffre.txt");

    private async Task<bool> EndsSystemLogAsync(byte[] said)
    {
        using var text = new MemoryStream();
        await using var log = await tools.Store.OpenReadAsync(SystemLog, CancellationToken.None);
        await (log?.CopyToAsync(text) ?? Task.CompletedTask);
        return text.GetBuffer().AsSpan(0, (int)text.Length).EndsWith(said);
    }
}
