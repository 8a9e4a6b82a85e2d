using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Moves pipelines: what a step's end means for the steps that wait for it and for its pipeline, inside the unit that ends the step. Holds
/// nothing; whatever a crash leaves is a state between two units.
/// </summary>
internal sealed class StepProgress(IRuns runs, ITokens tokens, JobTickets tickets, LoopProgress loops, ReuseGate reuse)
{
    /// <summary>Why a pipeline whose step failed ends the others; beside the names of <see cref="StopReason"/>.</summary>
    public const string StepFailed = "StepFailed";

    /// <summary>The error of a step that did not run because an <c>if_else</c> decided so; no failure.</summary>
    public const string NotTaken = "BranchNotTaken";

    private const string Skipped = "StepSkipped";

    private static readonly string[] Unfinished = [JobStatus.NotStarted, JobStatus.Running, JobStatus.CancelRequested];

    /// <summary>Starts the steps of a pipeline that wait for nothing.</summary>
    public void Begin(WriteScope scope, JobRow pipeline)
    {
        var ended = new Queue<(JobRow, Verdict)>();
        Begin(scope, pipeline, ended);
        Drain(scope, ended);
    }

    /// <summary>A step's process lives.</summary>
    public static void Started(WriteScope scope, JobRow step) => Note(scope, step, $"{step.Step}: running");

    /// <summary>A try of a step failed before its command began.</summary>
    public static void Retrying(WriteScope scope, JobRow step, string why) => Note(scope, step, $"{step.Step}: {why}");

    /// <summary>A step has ended as <paramref name="verdict"/> says; does nothing for a job that is no step.</summary>
    public void Ended(WriteScope scope, JobRow step, Verdict verdict) => Drain(scope, new Queue<(JobRow, Verdict)>([(step, verdict)]));

    /// <summary>What each end means; an end may bring about others, which are queued, so that long chains of them need no deep stack.</summary>
    private void Drain(WriteScope scope, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        while (ended.TryDequeue(out var next))
        {
            Follow(scope, next.Step, next.Verdict, ended);
        }
    }

    private void Follow(WriteScope scope, JobRow step, Verdict verdict, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        if (step.Parent is null || StepWrites.FindByKey(scope, step.Parent) is not { } pipeline || JobStatus.IsTerminal(pipeline.Status))
        {
            return;
        }

        Note(scope, step, Told(scope, step, verdict));
        if (verdict.Status == JobStatus.Completed)
        {
            foreach (var ready in StepWrites.CountDown(scope, step.JobId))
            {
                Release(scope, ready, ended);
            }
        }
        else
        {
            SkipWaiting(scope, step, Skipped, $"The step '{step.Step}', whose output it needs, {(verdict.Status == JobStatus.Failed ? "failed" : "was canceled")}.");
            if (pipeline.Stop is null && pipeline.ReadPlan().Pipeline is { ContinueOnStepFailure: false })
            {
                StopAfterFailure(scope, pipeline, step);
            }
        }

        if (pipeline.IsLoop)
        {
            Iterate(scope, pipeline, ended);
        }

        FinishIfDone(scope, pipeline);
    }

    /// <summary>
    /// Ends what has not started below the pipeline, and marks what lives with who asked and why. Who calls it announces it, so that the
    /// orchestrator ends what lives.
    /// </summary>
    public void Stop(WriteScope scope, JobRow pipeline, string by)
    {
        foreach (var step in StepWrites.Live(scope, pipeline.JobId))
        {
            if (step.Status == JobStatus.NotStarted)
            {
                EndUnstarted(scope, step, "JobCanceled", $"{by} canceled the pipeline before the step started.");
                continue;
            }

            StepWrites.SetStop(scope, step.JobId, nameof(StopReason.Canceled), by);
            if (step.IsPipeline)
            {
                Stop(scope, step, by);
                FinishIfDone(scope, step);
            }
        }
    }

    /// <summary>
    /// When no step is open any more, the pipeline is to be finished by the orchestrator: also a nested one that never started, whose steps
    /// were canceled one by one.
    /// </summary>
    public void FinishIfDone(WriteScope scope, JobRow pipeline)
    {
        if (!StepWrites.AnyLive(scope, pipeline.JobId) && JobWrites.Move(scope, pipeline.JobId, Unfinished, JobStatus.Finalizing))
        {
            runs.SetStatus(scope, pipeline.Workspace, pipeline.Name, RunStatus.Finalizing);
            Announce(scope, pipeline, JobActions.Finalizing);
        }
    }

    private void StopAfterFailure(WriteScope scope, JobRow pipeline, JobRow failed)
    {
        var by = $"The pipeline '{pipeline.Name}', after its step '{failed.Step}' failed,";
        StepWrites.SetStop(scope, pipeline.JobId, StepFailed, by);
        StepWrites.AddLine(scope, pipeline.JobId.Key, $"The step '{failed.Step}' failed and continue_on_step_failure is false: the other steps are ended.");
        Stop(scope, pipeline, by);
        Announce(scope, pipeline, JobActions.Stopping);
    }

    private void Begin(WriteScope scope, JobRow pipeline, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        if (pipeline.IsLoop)
        {
            Iterate(scope, pipeline, ended);
            return;
        }

        foreach (var step in StepWrites.Roots(scope, pipeline.JobId))
        {
            Release(scope, step, ended);
        }
    }

    /// <summary>Begins the iterations of a loop that may run now. One that cannot begin has ended, and makes room for the next.</summary>
    private void Iterate(WriteScope scope, JobRow loop, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        while (loops.Next(scope, loop) is { Count: > 0 } begun)
        {
            foreach (var iteration in begun)
            {
                Release(scope, iteration, ended);
            }
        }
    }

    /// <summary>A step that waits for nothing any more begins: this is the unit that queues it.</summary>
    private void Release(WriteScope scope, JobRow step, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        if (LateInputs.Settle(scope, step) is { } problem)
        {
            FailUnstarted(scope, step, "InputNotUsable", problem, ended);
        }
        else if (step.IsCondition)
        {
            Decide(scope, step, ended);
        }
        else if (step.IsPipeline)
        {
            ReleasePipeline(scope, step, ended);
        }
        else if (!reuse.Holds(scope, step))
        {
            Queue(scope, step);
        }
    }

    /// <summary>A step that is to run waits for places.</summary>
    public void Queue(WriteScope scope, JobRow step)
    {
        if (JobWrites.Move(scope, step.JobId, [JobStatus.NotStarted], JobStatus.Queued))
        {
            runs.SetStatus(scope, step.Workspace, step.Name, RunStatus.Queued);
            var token = tokens.IssueForJob(scope, step.JobId);
            var experiment = runs.Find(scope, step.Workspace, step.Name)?.ExperimentId ?? "0";
            AnnounceQueued(scope, step);
            Note(scope, step, $"{step.Step}: queued as the job {step.Name}");
            scope.OnCommitted(() => tickets.Keep(step.JobId, new JobTicket(token, experiment)));
        }
    }

    private void ReleasePipeline(WriteScope scope, JobRow step, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        if (JobWrites.Move(scope, step.JobId, [JobStatus.NotStarted], JobStatus.Running))
        {
            JobWrites.SetStarted(scope, step.JobId, scope.Now, []);
            runs.SetStatus(scope, step.Workspace, step.Name, RunStatus.Running);
            Announce(scope, step, JobActions.Running);
            Note(scope, step, $"{step.Step}: running as the {(step.IsLoop ? "loop" : "pipeline")} {step.Name}");
            Begin(scope, step, ended);
            FinishIfDone(scope, step);
        }
    }

    /// <summary>An <c>if_else</c> begins and ends here: the steps of the block that is not taken do not run.</summary>
    private void Decide(WriteScope scope, JobRow step, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        var condition = step.ReadPlan().Condition!;
        var (value, problem) = condition.From is { } from ? LateInputs.Resolve(scope, from) : (null, null);
        if (problem is not null)
        {
            FailUnstarted(scope, step, "InputNotUsable", $"The condition of '{step.Step}' has no value: {problem}.", ended);
            return;
        }

        if (!JobWrites.Move(scope, step.JobId, [JobStatus.NotStarted], JobStatus.Completed))
        {
            return;
        }

        var holds = condition.Value ?? "true".Equals(value?.Value, StringComparison.OrdinalIgnoreCase);
        JobWrites.SetStarted(scope, step.JobId, scope.Now, []);
        JobWrites.SetEnd(scope, step.JobId, exitCode: null, errorCode: null, errorMessage: null);
        runs.SetStatus(scope, step.Workspace, step.Name, RunStatus.Running);
        runs.SetStatus(scope, step.Workspace, step.Name, RunStatus.Completed);
        Announce(scope, step, JobActions.Completed);
        Note(scope, step, $"{step.Step}: the condition is {(holds ? "true" : "false")}");
        foreach (var other in StepWrites.Named(scope, step.Parent!, holds ? condition.False : condition.True))
        {
            var why = $"The condition of '{step.Step}' is {(holds ? "true" : "false")}.";
            EndUnstarted(scope, other, NotTaken, why);
            Note(scope, other, $"{other.Step}: not run. {why}");
            SkipWaiting(scope, other, NotTaken, $"The step '{other.Step}', whose output it needs, is not run.");
        }

        ended.Enqueue((step, new Verdict(JobStatus.Completed, null, null, null)));
    }

    private void FailUnstarted(WriteScope scope, JobRow step, string code, string why, Queue<(JobRow Step, Verdict Verdict)> ended)
    {
        if (!JobWrites.Move(scope, step.JobId, [JobStatus.NotStarted], JobStatus.Failed))
        {
            return;
        }

        JobWrites.SetEnd(scope, step.JobId, exitCode: null, code, why);
        runs.SetStatus(scope, step.Workspace, step.Name, RunStatus.Failed, new RunError(code, why));
        Announce(scope, step, JobActions.Failed, ("code", code));
        foreach (var below in step.IsPipeline ? StepWrites.Live(scope, step.JobId) : [])
        {
            EndUnstarted(scope, below, Skipped, why);
        }

        ended.Enqueue((step, Verdict.Failed(code, why)));
    }

    /// <summary>Ends whatever needs the step, near and far; each is told once, with the step that is nearest to it.</summary>
    private void SkipWaiting(WriteScope scope, JobRow step, string code, string why)
    {
        var ended = new Queue<(JobRow Step, string Why)>([(step, why)]);
        while (ended.TryDequeue(out var next))
        {
            foreach (var waiting in StepWrites.Waiting(scope, next.Step.JobId).Where(waiting => EndUnstarted(scope, waiting, code, next.Why)))
            {
                Note(scope, waiting, $"{waiting.Step}: {(code == NotTaken ? "not run" : "skipped")}. {next.Why}");
                ended.Enqueue((waiting, $"The step '{waiting.Step}', whose output it needs, {(code == NotTaken ? "is not run" : "was skipped")}."));
            }
        }
    }

    /// <summary>A step that never started ends, and with it what would have run below it; false when it has ended before.</summary>
    private bool EndUnstarted(WriteScope scope, JobRow step, string code, string why)
    {
        if (!JobWrites.Move(scope, step.JobId, [JobStatus.NotStarted], JobStatus.Canceled))
        {
            return false;
        }

        JobWrites.SetEnd(scope, step.JobId, exitCode: null, code, why);
        runs.SetStatus(scope, step.Workspace, step.Name, RunStatus.Canceled, new RunError(code, why));
        Announce(scope, step, JobActions.Canceled, ("code", code));
        if (step.IsPipeline)
        {
            foreach (var below in StepWrites.Live(scope, step.JobId))
            {
                EndUnstarted(scope, below, code, why);
            }
        }

        return true;
    }

    private static string Told(WriteScope scope, JobRow step, Verdict verdict)
    {
        var took = step.StartedAt is { } started ? string.Create(CultureInfo.InvariantCulture, $" after {(scope.Now - started).TotalSeconds:0.000} s") : "";
        return verdict.Status switch
        {
            JobStatus.Completed => $"{step.Step}: completed{took}{Values(scope, step)}{string.Concat(verdict.Warnings.Select(warning => "; warning: " + warning))}",
            JobStatus.Failed => $"{step.Step}: failed{took}: ({verdict.Code}) {verdict.Message}",
            _ => $"{step.Step}: canceled{took}: ({verdict.Code}) {verdict.Message}",
        };
    }

    private static string Values(WriteScope scope, JobRow step) =>
        string.Concat(StepWrites.Values(scope, step.JobId).Select(value => $"; {value.Name} = {(value.Value.Length > 100 ? value.Value[..100] + "..." : value.Value)}"));

    private static void Note(WriteScope scope, JobRow step, string text)
    {
        if (step.Parent is { } pipeline)
        {
            StepWrites.AddLine(scope, pipeline, text);
        }
    }

    /// <summary>The job waits for places: the event by which its lane knows.</summary>
    public static void AnnounceQueued(WriteScope scope, JobRow job) =>
        Announce(scope, job, JobActions.Queued, ("compute", job.Compute), ("rank", job.Rank), ("experiment", job.Experiment));

    /// <summary>Appends the event of a job, with what readers of the log need to know of pipelines and steps.</summary>
    public static void Announce(WriteScope scope, JobRow job, string action, params ReadOnlySpan<(string Name, JsonNode? Value)> details) =>
        Announce(scope, job, action, Caller.System, details);

    /// <summary>As the other, in the name of <paramref name="actor"/>.</summary>
    public static void Announce(WriteScope scope, JobRow job, string action, Caller actor, params ReadOnlySpan<(string Name, JsonNode? Value)> details)
    {
        var payload = new JsonObject();
        foreach (var (name, value) in details)
        {
            if (value is not null)
            {
                payload[name] = value;
            }
        }

        if (job.IsPipeline)
        {
            payload["kind"] = JobKind.Pipeline;
        }

        if (job.Parent is not null)
        {
            payload["parent"] = job.Parent;
        }

        scope.Append(new NewEvent(actor.ObjectId, action, job.Id, payload.ToJsonString(ZaffreJson.Options)));
    }
}
