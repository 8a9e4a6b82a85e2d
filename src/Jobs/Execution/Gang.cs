using Zaffre.Compute;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Execution;

/// <summary>How the tasks of an attempt ended: the record that decides, of which process it is, and the log that shows why.</summary>
internal sealed record GangEnd(ExitRecord Exit, Member Member)
{
    /// <summary>How many the processes are.</summary>
    public int Of { get; init; } = 1;
}

/// <summary>
/// The tasks of an attempt, handled as one: one task for each process, and one for all where <c>mpirun</c> starts them. They start together; when
/// one fails or is lost the others are ended. Holds nothing: everything is found again in the tasks' folders.
/// </summary>
internal sealed class Gang(ITaskLauncher launcher, TaskId first, JobPlan plan)
{
    private readonly IReadOnlyList<Member> members = TasksOf(plan);

    /// <summary>The processes that have a task of their own.</summary>
    public static IReadOnlyList<Member> TasksOf(JobPlan plan) => plan.Gang is { Kind: GangKind.Mpi } ? [plan.Members[0]] : plan.Members;

    /// <summary>The task of a process; the first one's is the job's.</summary>
    public static TaskId IdOf(TaskId first, int number) => number == 0 ? first : first with { Name = FormattableString.Invariant($"{first.Name}.{number}") };

    /// <summary>The tasks.</summary>
    public IReadOnlyList<TaskId> Ids { get; } = [.. TasksOf(plan).Select(member => IdOf(first, member.Number))];

    /// <summary>The records of all tasks, when they have ended.</summary>
    public async Task<IReadOnlyList<ExitRecord>> RecordsAsync(CancellationToken ct) => await Task.WhenAll(Ids.Select(id => launcher.WaitAsync(id, ct)));

    /// <summary>Removes what the tasks left, the job's own last: as long as that is there, something may be left.</summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        foreach (var member in members.Reverse())
        {
            await launcher.RemoveAsync(IdOf(first, member.Number), ct);
        }
    }

    /// <summary>Where the attempt stands: unknown when no task of it was ever started, else as the first that was.</summary>
    public async Task<TaskStage> InspectAsync(CancellationToken ct)
    {
        foreach (var member in members)
        {
            var stage = await launcher.InspectAsync(IdOf(first, member.Number), ct);
            if (stage != TaskStage.Unknown)
            {
                return stage;
            }
        }

        return TaskStage.Unknown;
    }

    /// <summary>Starts all tasks; the first one's start counts. With a problem nothing of them runs any more, except when it is a conflict: they were started before.</summary>
    public async Task<Outcome<RunningTask>> StartAsync(IReadOnlyList<TaskSpec> specs, TimeSpan grace, CancellationToken ct)
    {
        if (specs is [var only])
        {
            return await launcher.StartAsync(only, ct);
        }

        // All folders lie ready before anything runs: a server that comes after this one starts what this one did not get to.
        IReadOnlyList<string> notLimited = [];
        foreach (var spec in specs)
        {
            if (!(await launcher.PrepareAsync(spec, ct)).TryGet(out var prepared, out var problem))
            {
                return problem;
            }

            notLimited = prepared.NotLimited;
        }

        return (await StartPreparedAsync(members, grace, ct)).Then<RunningTask>(running => running with { NotLimited = notLimited });
    }

    /// <summary>How the attempt ended when it is certain that no command of it ever began; null otherwise.</summary>
    public async Task<string?> NeverBeganAsync(CancellationToken ct)
    {
        string? reason = null;
        foreach (var id in members.Select(member => IdOf(first, member.Number)))
        {
            var stage = await launcher.InspectAsync(id, ct);
            if (stage == TaskStage.Unknown)
            {
                continue;
            }

            if (stage == TaskStage.Running || await launcher.WaitAsync(id, ct) is not { NeverBegan: true, Stopped: null } record)
            {
                return null;
            }

            reason ??= record.Reason;
        }

        return reason;
    }

    /// <summary>Starts those tasks that lie ready and were not started when the server died; the problem says which one did not start. It never passes: the others began.</summary>
    public async Task<Problem?> CompleteStartAsync(TimeSpan grace, CancellationToken ct)
    {
        var missing = new List<Member>();
        foreach (var member in members)
        {
            if (await launcher.InspectAsync(IdOf(first, member.Number), ct) == TaskStage.Unknown)
            {
                missing.Add(member);
            }
        }

        return missing.Count == 0 ? null : (await StartPreparedAsync(missing, grace, ct)).Problem is { } problem ? problem with { Transient = false } : null;
    }

    /// <summary>Completes when every task is over. Brings that about once one fails, or only those are left that serve the others.</summary>
    public async Task<GangEnd> WaitAsync(TimeSpan grace, CancellationToken ct)
    {
        if (members is [var only])
        {
            return new GangEnd(await launcher.WaitAsync(first, ct), only) { Of = plan.Members.Count };
        }

        var open = members.ToDictionary(member => launcher.WaitAsync(IdOf(first, member.Number), ct));
        var ends = new List<GangEnd>();
        var stopping = Task.CompletedTask;
        var stopped = false;
        try
        {
            while (open.Count > 0)
            {
                var over = await Task.WhenAny(open.Keys);
                open.Remove(over, out var member);
                ends.Add(new GangEnd(await over, member!) { Of = members.Count });
                if (!stopped && open.Count > 0 && (!ends[^1].Exit.Succeeded || open.Values.All(other => other.Serves)))
                {
                    stopped = true;
                    stopping = StopAsync(open.Values.ToArray(), StopReason.Removed, grace, ct);
                }
            }
        }
        finally
        {
            await stopping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return Decisive(ends);
    }

    /// <summary>Ends all tasks, and completes when none is left.</summary>
    public Task StopAsync(StopReason reason, TimeSpan grace, CancellationToken ct) => StopAsync(members, reason, grace, ct);

    /// <summary>The end that decides how the job ended; the same whenever it is looked for, for it needs the records only.</summary>
    internal static GangEnd Decisive(IReadOnlyList<GangEnd> ends)
    {
        var inOrder = ends.OrderBy(end => end.Member.Number).ToArray();
        return inOrder.FirstOrDefault(end => end.Exit.Stopped is StopReason.Canceled or StopReason.Timeout)
            ?? inOrder.FirstOrDefault(end => end.Exit is { Lost: true, Stopped: null })
            ?? inOrder.Where(end => end.Exit is { Succeeded: false, Stopped: null }).MinBy(end => end.Exit.EndedAt ?? DateTimeOffset.MaxValue)
            ?? inOrder.FirstOrDefault(end => !end.Member.Serves && !end.Exit.Succeeded)
            ?? inOrder[0];
    }

    private async Task<Outcome<RunningTask>> StartPreparedAsync(IReadOnlyList<Member> which, TimeSpan grace, CancellationToken ct)
    {
        var starts = await Task.WhenAll(which.Select(member => launcher.StartPreparedAsync(IdOf(first, member.Number), ct)));
        var conflict = false;
        for (var i = 0; i < starts.Length; i++)
        {
            if (starts[i].Problem is { Kind: ProblemKind.Conflict })
            {
                conflict = true;
            }
            else if (starts[i].Problem is { } problem)
            {
                await StopAsync(StopReason.Removed, grace, ct);
                return problem with { Transient = starts.All(start => start.Problem is not null), Message = $"{which[i].Name} did not start, and the others were ended. {problem.Message}" };
            }
        }

        return conflict ? starts.First(start => start.Problem is not null) : starts[0];
    }

    private Task StopAsync(IReadOnlyList<Member> which, StopReason reason, TimeSpan grace, CancellationToken ct) =>
        Task.WhenAll(which.Select(member => launcher.StopAsync(IdOf(first, member.Number), reason, grace, ct)));
}
