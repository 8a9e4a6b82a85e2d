namespace Zaffre.Compute;

/// <summary>How a task ended.</summary>
public sealed record ExitRecord
{
    /// <summary>The command's exit code; 128 + n when signal n ended it; null when lost.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The signal that ended the command, as shells report it (exit codes 129 to 192), else null.</summary>
    public int? Signal => ExitCode is > 128 and <= 192 ? ExitCode - 128 : null;

    /// <summary>No exit record was left: the machine or the launcher died.</summary>
    public bool Lost { get; init; }

    /// <summary>It is certain that the command never began: trying again repeats nothing.</summary>
    public bool NeverBegan { get; init; }

    /// <summary>Set when <see cref="ITaskLauncher.StopAsync"/> ended it.</summary>
    public StopReason? Stopped { get; init; }

    /// <summary>Processes that the memory limit killed.</summary>
    public long OutOfMemoryKills { get; init; }

    /// <summary>How often the process limit refused a new process or thread.</summary>
    public long ProcessLimitHits { get; init; }

    /// <summary>When the process started; null when it never did or is not known.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Largest memory use, when control groups measured it.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>Processor time of all its processes, when control groups measured it.</summary>
    public double? CpuSeconds { get; init; }

    /// <summary>The containment that acted (<c>OutOfMemory: ...</c>, <c>ProcessLimit: ...</c>), else null. Set whatever the exit code is.</summary>
    public string? ContainedBy { get; init; }

    /// <summary>One sentence for people: how it ended, and by what it was contained.</summary>
    public required string Reason { get; init; }

    /// <summary>Exit code 0 and nobody stopped it.</summary>
    public bool Succeeded => ExitCode == 0 && Stopped is null;
}
