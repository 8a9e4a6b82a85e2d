using System.Runtime.InteropServices;

namespace Zaffre.Compute;

/// <summary>What a running task has used so far, and uses now; null where this host does not measure it.</summary>
/// <param name="CpuSeconds">Processor time of all its processes since it began.</param>
/// <param name="MemoryBytes">Memory in use now, file cache included.</param>
/// <param name="MemoryLimitBytes">What it may use.</param>
/// <param name="ReadBytes">Read from storage so far, by the processes that were seen.</param>
/// <param name="WrittenBytes">Written to storage so far, by the processes that were seen.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TaskReading(double? CpuSeconds, long? MemoryBytes, long? MemoryLimitBytes, long ReadBytes, long WrittenBytes)
{
    /// <summary>Given to the system for writing so far, to pipes too, by the processes that were seen: where storage is memory nothing is written to storage.</summary>
    public long HandedBytes { get; init; }
}

/// <summary>Reads what a running task uses. For one reader: it remembers the processes that it saw.</summary>
public interface ITaskMeter
{
    /// <summary>The figures now; cheap: a few small files.</summary>
    TaskReading Read();
}
