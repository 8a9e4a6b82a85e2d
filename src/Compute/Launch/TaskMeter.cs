using System.Globalization;

namespace Zaffre.Compute.Launch;

/// <summary>Reads control groups of either version, and what the kernel counts of each process; a process that has ended counts as it was last seen.</summary>
internal sealed class TaskMeter(TaskFolder folder) : ITaskMeter
{
    private readonly Dictionary<int, (long Read, long Written, long Handed)> storage = [];
    private readonly IReadOnlyList<string> groups = folder.ContainingAll("group");
    private readonly long? limit = long.TryParse(folder.Containing("memory"), CultureInfo.InvariantCulture, out var bytes) ? bytes : null;

    /// <inheritdoc/>
    public TaskReading Read()
    {
        foreach (var process in TaskProcesses.Find(folder))
        {
            if (Line($"/proc/{process}/io", "read_bytes: ") is { } read && Line($"/proc/{process}/io", "write_bytes: ") is { } written)
            {
                storage[process] = (read, written, Line($"/proc/{process}/io", "wchar: ") ?? 0);
            }
        }

        return new TaskReading(
            (Value("cpuacct.usage", "") / 1e9) ?? (Value("cpu.stat", "usage_usec ") / 1e6),
            Value("memory.usage_in_bytes", "") ?? Value("memory.current", ""),
            limit,
            storage.Values.Sum(one => one.Read),
            storage.Values.Sum(one => one.Written)) { HandedBytes = storage.Values.Sum(one => one.Handed) };
    }

    private long? Value(string file, string start) => groups.Select(group => Line(Path.Combine(group, file), start)).FirstOrDefault(value => value is not null);

    private static long? Line(string file, string start)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal)) is { } line
                && long.TryParse(line.AsSpan(start.Length), CultureInfo.InvariantCulture, out var value) ? value : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
