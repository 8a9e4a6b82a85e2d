namespace Zaffre.Compute;

/// <summary>
/// One attempt at running something: the folder <c>tasks/{Name}/{Attempt}</c>. <paramref name="Name"/> is chosen by the caller,
/// unique in the data directory, of letters, digits, <c>-</c>, <c>_</c> and <c>.</c>; for a job it is the job's name.
/// </summary>
public readonly record struct TaskId(string Name, int Attempt)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Name}/{Attempt}");
}

/// <summary>Something of the host that the task sees at <paramref name="Target"/> (absolute, in the task's own view). A missing source fails the launch.</summary>
public sealed record TaskBind(string Source, string Target, bool Writable = false);

/// <summary>What network a task has.</summary>
public enum TaskNetwork
{
    /// <summary>The host's, without the cloud metadata address where the host allows blocking it (see <see cref="RunningTask.NotLimited"/>).</summary>
    Shared,

    /// <summary>Only its own loopback.</summary>
    None,
}

/// <summary>What a task may use. A null member means: the server's default.</summary>
public sealed record TaskLimits
{
    /// <summary>Bytes of memory for all processes together; passing it kills, and the exit record says so.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Processes and threads at once.</summary>
    public int? Processes { get; init; }

    /// <summary>Bytes of shared memory (<c>/dev/shm</c>), which count as memory too; null: what the system allows, half of the host's memory.</summary>
    public long? SharedMemoryBytes { get; init; }

    /// <summary>Cores, such as 1.5.</summary>
    public double? Cpus { get; init; }

    /// <summary>Largest file that a process may write, in bytes.</summary>
    public long? FileBytes { get; init; }

    /// <summary>Open files of one process.</summary>
    public int? OpenFiles { get; init; }
}

/// <summary>Everything that the launcher needs; nothing in it is resolved later. Timeouts are the caller's: <see cref="ITaskLauncher.StopAsync"/>.</summary>
public sealed record TaskSpec
{
    public required TaskId Id { get; init; }

    /// <summary>Program and arguments, looked up in the task's view. For a shell line use <see cref="Shell"/>.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Where the command starts, in the task's view; it must be a bind's target or below one.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>The file on the host that standard output and error are appended to; created when missing, handed to the task's user.</summary>
    public required string LogPath { get; init; }

    /// <summary>The task's whole environment: nothing of the server's own is inherited.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public IReadOnlyList<TaskBind> Binds { get; init; } = [];

    public TaskLimits Limits { get; init; } = new();

    public TaskNetwork Network { get; init; }

    /// <summary>Numbers of the host's GPUs that the task sees (by the device files of the NVIDIA driver), of <see cref="IGpus"/>.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>A shell line as Azure ML runs it: several lines, pipes and quotes as written.</summary>
    public static IReadOnlyList<string> Shell(string line) => ["/bin/bash", "-c", line];
}
