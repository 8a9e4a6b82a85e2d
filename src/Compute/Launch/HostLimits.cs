namespace Zaffre.Compute.Launch;

/// <summary>What a task may use when nobody says: most of this host, so that a runaway task meets a limit before the host does.</summary>
internal static class HostLimits
{
    private static readonly long HostMemory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    public static TaskLimits Fill(TaskLimits limits, HostSandbox host) => limits with
    {
        SharedMemoryBytes = host.BoundsSharedMemory ? limits.SharedMemoryBytes : null,
        MemoryBytes = limits.MemoryBytes is { } bytes ? Math.Min(bytes, Most) : Most,
        Processes = limits.Processes ?? Math.Max(1024, 256 * Environment.ProcessorCount),
    };

    /// <summary>The limits wanted that no control group enforces, in words.</summary>
    public static IEnumerable<string> Missing(TaskLimits limits, TaskGroups groups)
    {
        if (!groups.LimitsMemory)
        {
            yield return "Memory is limited for each process by itself only: the server may not write control groups on this host.";
        }

        if (!groups.LimitsProcesses)
        {
            yield return "Processes are limited by rlimit only: the server may not write control groups on this host.";
        }

        if (limits.Cpus is not null && !groups.LimitsCpu)
        {
            yield return "Processor time is not limited: the server may not write control groups on this host.";
        }
    }

    /// <summary>The limit wanted that the sandbox of this host cannot set, in words.</summary>
    public static IReadOnlyList<string> Unbounded(TaskLimits wanted, HostSandbox host) => wanted.SharedMemoryBytes is null || host.BoundsSharedMemory
        ? []
        : ["Shared memory is not limited to its size: that needs bubblewrap 0.7 or newer."];

    /// <summary>Bytes of memory for tasks. The rest stays for the server and the system: a tenth, at least half a gibibyte where there is that much.</summary>
    public static long Most => Math.Max(HostMemory / 2, HostMemory - Math.Max(HostMemory / 10, 512L << 20));
}
