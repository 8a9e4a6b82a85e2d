using System.Threading.Channels;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Execution;

/// <summary>The queue of one compute: gives its slots to queued jobs, by priority and then in the order of submission.</summary>
internal sealed class Lane(string compute, LaneTools tools)
{
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>There may be something to do.</summary>
    public void Wake() => wake.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken ct)
    {
        while (await wake.Reader.WaitToReadAsync(ct))
        {
            wake.Reader.TryRead(out _);
            while (await NextAsync(ct) is { } job)
            {
                await AdmitAsync(job, ct);
            }
        }
    }

    private async Task AdmitAsync(JobRow job, CancellationToken ct)
    {
        if (!(await tools.Computes.FindAsync(job.Workspace, job.ReadPlan().Compute, ct)).TryGet(out var target, out var problem))
        {
            tools.Refuse(job, problem.Kind == ProblemKind.NotFound
                ? Verdict.Failed(problem.Code, $"The compute of the job is gone: {problem.Message}")
                : Verdict.Failed(problem.Code, problem.Message));
            return;
        }

        var waiting = tools.Computes.AdmitAsync(target, 1, ct);
        var atOnce = waiting.IsCompletedSuccessfully;
        var slot = await waiting;

        // While it waited, the first in the queue may have been canceled, or one with a higher priority may have come.
        if ((atOnce ? job : await NextAsync(ct)) is { } first)
        {
            tools.Begin(first, slot);
        }
        else
        {
            slot.Dispose();
        }
    }

    private async Task<JobRow?> NextAsync(CancellationToken ct)
    {
        var queued = await tools.Jobs.QueuedAsync(compute, tools.Claims.Count + 1, ct);
        return queued.FirstOrDefault(job => !tools.Claims.IsTaken(job.JobId));
    }
}

/// <summary>What a lane works with: <paramref name="Begin"/> takes over job and slot, <paramref name="Refuse"/> ends a job that cannot start.</summary>
internal sealed record LaneTools(JobTable Jobs, IComputes Computes, Claims Claims, Action<JobRow, ComputeSlot> Begin, Action<JobRow, Verdict> Refuse);
