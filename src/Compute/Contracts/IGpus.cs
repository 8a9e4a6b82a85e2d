namespace Zaffre.Compute;

/// <summary>What a GPU does at a moment; null where its driver does not say. <paramref name="UsedBytes"/> and <paramref name="Bytes"/> are of its own memory, power is in watts.</summary>
public sealed record GpuReading(double? UtilizationPercent, double? UsedBytes, double? Bytes, double? PowerWatts, double? PowerLimitWatts);

/// <summary>The GPUs of this host, each one's for one job at a time. Thread safe.</summary>
public interface IGpus
{
    /// <summary>
    /// Numbers of <paramref name="count"/> GPUs for a task, the same whenever it asks, until <see cref="Give"/>. Nobody else has them, unless more
    /// is asked for than the host has. Tasks that an earlier server started keep theirs.
    /// </summary>
    IReadOnlyList<int> Take(TaskId task, int count);

    /// <summary>The task has ended. Doing it again does nothing.</summary>
    void Give(TaskId task);

    /// <summary>What the GPUs of some tasks do now, in the order of their numbers; empty without any, or when the driver's program does not answer.</summary>
    Task<IReadOnlyList<GpuReading>> ReadAsync(IReadOnlyList<TaskId> tasks, CancellationToken ct);
}
