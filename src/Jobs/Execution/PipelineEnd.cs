using Zaffre.Jobs.Data;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Ends a pipeline of which no step is open: log, digests of its outputs, verdict. Doing it again after a crash does the same. Two of the same come one after
/// the other, so that the log tells the end that was stored.
/// </summary>
internal sealed class PipelineEnd(JobTable jobs, Transitions transitions, PipelineLog log, LoopOutputs loops, TimeProvider time) : IDisposable
{
    private const int MostNamed = 5;

    private readonly SemaphoreSlim[] ending = [.. Enumerable.Range(0, 16).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>The log files of pipelines.</summary>
    public PipelineLog Log => log;

    public async Task RunAsync(ArmId id)
    {
        var turn = ending[(uint)id.Key.GetHashCode(StringComparison.Ordinal) % ending.Length];
        await turn.WaitAsync(CancellationToken.None);
        try
        {
            await EndAsync(id);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        foreach (var turn in ending)
        {
            turn.Dispose();
        }
    }

    private async Task EndAsync(ArmId id)
    {
        if (await jobs.FindAsync(id, CancellationToken.None) is not { Status: JobStatus.Finalizing } pipeline)
        {
            return;
        }

        var steps = await jobs.StepsAsync(id, CancellationToken.None);
        var verdict = Judge(pipeline, steps);
        var outputs = verdict.Status != JobStatus.Completed ? [] : pipeline.IsLoop ? await loops.OfAsync(pipeline, steps) : await OutputsAsync(pipeline);
        verdict = verdict with { LastLine = StepWrites.Line(time.GetUtcNow(), Told(pipeline, verdict)) };
        await log.WriteLastAsync(pipeline, verdict.LastLine);
        await transitions.EndAsync(pipeline, verdict, outputs);
    }

    /// <summary>Canceled when somebody asked for it, failed when a step did not complete.</summary>
    private static Verdict Judge(JobRow pipeline, IReadOnlyList<JobRow> steps)
    {
        if (pipeline.StopReason is not null)
        {
            return Verdict.CanceledBy(pipeline.StopBy ?? Caller.System.Name, exitCode: null);
        }

        if (pipeline.Stop == LoopProgress.Failed)
        {
            return Verdict.Failed(LoopProgress.Failed, pipeline.StopBy!);
        }

        var failed = steps.Where(step => step.Status == JobStatus.Failed).ToArray();
        var first = failed.Length > 0 ? failed : [.. steps.Where(step => step.Status == JobStatus.Canceled && step.ErrorCode != StepProgress.NotTaken)];
        if (first.Length == 0)
        {
            return new Verdict(JobStatus.Completed, null, null, null);
        }

        var skipped = steps.Count(step => step.Started is null && step.Status == JobStatus.Canceled);
        var named = string.Join(" ", first.Take(MostNamed).Select(step => $"The step '{step.Step}' ({step.Name}) {(failed.Length > 0 ? "failed" : "was canceled")}: ({step.ErrorCode}) {step.ErrorMessage}"));
        var more = first.Length > MostNamed ? $" And {first.Length - MostNamed} more." : "";
        return Verdict.Failed("StepFailed", $"{named}{more} {steps.Count(step => step.Status == JobStatus.Completed)} of {steps.Count} steps completed, {skipped} did not start.");
    }

    /// <summary>What lies in the outputs is known from the steps that wrote them.</summary>
    private async Task<IReadOnlyList<PublishedOutput>> OutputsAsync(JobRow pipeline)
    {
        var published = new List<PublishedOutput>();
        foreach (var (name, source) in pipeline.ReadPlan().Pipeline!.Outputs)
        {
            if (await jobs.FindAsync(new ArmId(source.Job), CancellationToken.None) is { } step && await loops.OfAsync(pipeline, name, step, source.Name) is { } output)
            {
                published.Add(output);
            }
        }

        return published;
    }

    private static string Told(JobRow pipeline, Verdict verdict) =>
        $"The pipeline {pipeline.Name} {verdict.Status.ToLowerInvariant()}{(verdict.Message is null ? "." : $": ({verdict.Code}) {verdict.Message}")}";
}
