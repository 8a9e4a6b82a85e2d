namespace Zaffre.Compute;

/// <summary>What a task used, as control groups measured it; null where they did not.</summary>
public sealed record TaskUsage(long? PeakMemoryBytes, double? CpuSeconds);

/// <summary>Told once, when a task ends. Bound by Jobs to Tracking. Must be quick and must not throw.</summary>
public interface IUsageSink
{
    void Ended(TaskId id, TaskUsage usage);
}
