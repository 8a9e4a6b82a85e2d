using System.Collections.Concurrent;
using System.Threading.Channels;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The queue of one compute: gives its places to queued jobs, in the order of <see cref="FairOrder"/> and within an experiment oldest first. In
/// memory are the experiments that wait, never the jobs: each place costs one read of the queue's index and one row. A job that needs more
/// places than are free lets others pass, but only <see cref="MostPassed"/> times.
/// </summary>
internal sealed class Lane(string compute, LaneTools tools) : IPlaceWaiter
{
    /// <summary>How often a job may be passed by one that came later.</summary>
    public const int MostPassed = 16;

    private const int MostSkipped = 16;

    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentQueue<Action<FairOrder>> news = new();
    private readonly FairOrder order = new();
    private readonly ConcurrentDictionary<(int Rank, string Experiment), bool> claimed = new();
    private Dictionary<long, int> passed = [];
    private volatile ComputeTarget? target;

    /// <inheritdoc/>
    public void Wake() => wake.Writer.TryWrite(true);

    /// <summary>The experiment has queued jobs of this rank.</summary>
    public void Waits(int rank, string experiment) => Tell(order => order.Waits(rank, experiment));

    /// <summary>A job that was found running has these places.</summary>
    public void Took(string experiment, int places) => Tell(order => order.Took(experiment, places));

    /// <summary>A job has given its places back.</summary>
    public void Gave(string experiment, int places) => Tell(order => order.Gave(experiment, places));

    /// <summary>Somebody has let a job go, which may still be queued.</summary>
    public void ClaimReleased()
    {
        foreach (var (rank, experiment) in claimed.Keys)
        {
            Waits(rank, experiment);
        }
    }

    /// <summary>The compute's document has changed.</summary>
    public void ComputeChanged()
    {
        target = null;
        Wake();
    }

    public async Task RunAsync(CancellationToken ct)
    {
        // After a failure the pass is made again.
        Wake();
        while (await wake.Reader.WaitToReadAsync(ct))
        {
            wake.Reader.TryRead(out _);
            while (await PassAsync(ct))
            {
            }
        }
    }

    /// <summary>Gives places to one job; false when none can have any now.</summary>
    internal async Task<bool> PassAsync(CancellationToken ct)
    {
        while (news.TryDequeue(out var change))
        {
            change(order);
        }

        var pass = new Pass();
        var begun = false;
        if (!order.IsEmpty)
        {
            var found = target is { } known ? known : await tools.Computes.FindAsync(JobRow.WorkspaceOf(new ArmId(compute)), compute, ct);
            target = found.TryGet(out var present, out var problem) ? present : null;
            begun = present is null ? await RefuseAsync(problem!, ct) : await BeginAsync(present, pass, ct);
        }

        passed = pass.Skipped.ToDictionary(seq => seq, seq => passed.GetValueOrDefault(seq) + (begun ? 1 : 0));
        if (!pass.WaitsForHost)
        {
            tools.Computes.Withdraw(this);
        }

        return begun;
    }

    private async Task<bool> BeginAsync(ComputeTarget present, Pass pass, CancellationToken ct)
    {
        // Those that were skipped stand first; those without a job are gone.
        while (pass.Skipped.Count < MostSkipped && order.InOrder().Skip(pass.Skipped.Count).FirstOrDefault() is { Experiment: { } experiment, Rank: var rank })
        {
            if (await NextAsync(rank, experiment, ct) is not { } job)
            {
                continue;
            }

            var admitted = tools.Computes.TryAdmit(present, job.Slots, this, bypass: pass.Skipped.Count > 0);
            if (admitted.Slot is { } slot)
            {
                return await BeginAsync(job, experiment, slot, ct);
            }

            pass.WaitsForHost |= admitted.WaitsForHost;
            pass.Skipped.Add(job.Seq);

            // All nodes of a compute need the same: when one place is too much, everything is.
            if (job.Slots == 1 || passed.GetValueOrDefault(job.Seq) >= MostPassed)
            {
                return false;
            }
        }

        return false;
    }

    private async Task<bool> BeginAsync(QueuedJob job, string experiment, ComputeSlot slot, CancellationToken ct)
    {
        // Since it was found it may have been canceled, or made again under its name.
        if (await tools.Jobs.FindAsync(new ArmId(job.Key), ct) is { Status: JobStatus.Queued } row && row.Seq == job.Seq)
        {
            order.Took(experiment, slot.Places);
            tools.Begin(row, slot);
        }
        else
        {
            slot.Dispose();
        }

        return true;
    }

    /// <summary>Ends a queued job, because of the compute; false when there is none.</summary>
    private async Task<bool> RefuseAsync(Problem problem, CancellationToken ct)
    {
        while (order.InOrder().FirstOrDefault() is { Experiment: { } experiment, Rank: var rank })
        {
            if (await NextAsync(rank, experiment, ct) is { } job && await tools.Jobs.FindAsync(new ArmId(job.Key), ct) is { } row)
            {
                tools.Refuse(row, problem.Kind == ProblemKind.NotFound
                    ? Verdict.Failed(problem.Code, $"The compute of the job is gone: {problem.Message}")
                    : Verdict.Failed(problem.Code, problem.Message));
                return true;
            }
        }

        return false;
    }

    /// <summary>The oldest job of an experiment; without one, the experiment waits no more.</summary>
    private async Task<QueuedJob?> NextAsync(int rank, string experiment, CancellationToken ct)
    {
        claimed.TryRemove((rank, experiment), out _);
        var (job, taken) = await tools.Queue.NextAsync(new QueuedGroup(compute, rank, experiment), tools.Claims.IsTaken, ct);
        if (job is not null)
        {
            return job;
        }

        order.WaitsNoMore(rank, experiment);
        if (taken)
        {
            // Whoever holds them may let them go without having moved them on.
            claimed[(rank, experiment)] = true;
        }

        return null;
    }

    private void Tell(Action<FairOrder> change)
    {
        news.Enqueue(change);
        Wake();
    }

    private sealed class Pass
    {
        public List<long> Skipped { get; } = [];

        public bool WaitsForHost { get; set; }
    }
}

/// <summary>What a lane works with: <paramref name="Begin"/> takes over job and slot, <paramref name="Refuse"/> ends a job that cannot start.</summary>
internal sealed record LaneTools(JobTable Jobs, JobQueue Queue, IComputes Computes, Claims Claims, Action<JobRow, ComputeSlot> Begin, Action<JobRow, Verdict> Refuse);
