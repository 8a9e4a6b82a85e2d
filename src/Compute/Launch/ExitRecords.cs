using System.Globalization;

namespace Zaffre.Compute.Launch;

/// <summary>Reads the lines that the launcher left, and says in words what happened.</summary>
internal static class ExitRecords
{
    /// <summary>The record, or null when there is no whole one.</summary>
    public static ExitRecord? Read(TaskFolder folder)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(folder.Exit);
        }
        catch (IOException)
        {
            return null;
        }

        if (lines is not [.., "end"])
        {
            return null;
        }

        long? Number(string start) => lines.FirstOrDefault(l => l.StartsWith(start, StringComparison.Ordinal)) is { } line
            && long.TryParse(line.AsSpan(start.Length), CultureInfo.InvariantCulture, out var value) ? value : null;

        var started = new FileInfo(folder.Started);
        var nanoseconds = Number("cpuacct.usage ") ?? Number("cpu.stat usage_usec ") * 1000;
        var began = started is { Exists: true, Length: > 0 };
        return Explain(folder, new ExitRecord
        {
            NeverBegan = !began,
            ExitCode = (int?)Number("code "),
            Stopped = Enum.TryParse<StopReason>(TaskFolder.Line(folder.Stop), out var reason) ? reason : null,
            OutOfMemoryKills = Number("memory.oom_control oom_kill ") ?? Number("memory.events oom_kill ") ?? 0,
            ProcessLimitHits = Number("pids.events max ") ?? 0,
            PeakMemoryBytes = Number("memory.max_usage_in_bytes ") ?? Number("memory.peak "),
            CpuSeconds = nanoseconds / 1e9,
            StartedAt = began ? new DateTimeOffset(started.LastWriteTimeUtc) : null,
            EndedAt = new DateTimeOffset(File.GetLastWriteTimeUtc(folder.Exit)),
            Reason = "",
        });
    }

    public static ExitRecord Lost(TaskFolder folder)
    {
        var started = new FileInfo(folder.Started);
        return new ExitRecord
        {
            Lost = true,
            NeverBegan = started is { Exists: true, Length: 0 } && folder.Containing("boot") == HostBoot.Id,
            Stopped = Enum.TryParse<StopReason>(TaskFolder.Line(folder.Stop), out var reason) ? reason : null,
            StartedAt = started is { Exists: true, Length: > 0 } ? new DateTimeOffset(started.LastWriteTimeUtc) : null,
            Reason = started.Exists
                ? "The task left no exit record: its launcher or this machine was killed."
                : "The task was never started.",
        };
    }

    private static ExitRecord Explain(TaskFolder folder, ExitRecord record)
    {
        var memory = folder.Containing("memory") is { } bytes && long.TryParse(bytes, CultureInfo.InvariantCulture, out var limit)
            ? $"the memory limit of {limit / (1024 * 1024)} MiB" : "the memory limit";
        var processes = folder.Containing("pids") is { } pids ? $"the limit of {pids} processes and threads" : "the process limit";
        var contained = (record.OutOfMemoryKills, record.ProcessLimitHits) switch
        {
            ( > 0, _) => $"OutOfMemory: {memory} was reached and {Count(record.OutOfMemoryKills, "process")} killed. Use less memory or a larger compute.",
            (_, > 0) => $"ProcessLimit: {processes} was reached and {Count(record.ProcessLimitHits, "start")} refused. Start fewer processes or threads.",
            _ => null,
        };
        var ended = (record.Stopped, record.StartedAt, record.ExitCode) switch
        {
            (StopReason.Canceled, _, _) => "The task was canceled.",
            (StopReason.Timeout, _, _) => "Timeout: the task ran longer than it may.",
            (StopReason.DiskLimit, _, _) => "DiskLimit: the task was filling the server's disk.",
            (StopReason.Removed, _, _) => "The task was removed.",
            (null, null, _) => $"The task did not start: {TaskFolder.Line(folder.Failure) ?? "the sandbox did not start"}.",
            (null, _, 0) => "The command succeeded.",
            (null, _, _) when record.Signal is { } signal => $"The command was ended by signal {signal}{SignalName(signal)} (exit code {record.ExitCode}).",
            _ => $"The command failed with exit code {record.ExitCode}.",
        };
        var speaksFirst = contained is not null && record is { Stopped: null, ExitCode: not 0 };
        return record with
        {
            ContainedBy = contained,
            Reason = contained is null ? ended : speaksFirst ? $"{contained} {ended}" : $"{ended} {contained}",
        };
    }

    private static string Count(long count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? " was" : what.EndsWith('s') ? "es were" : "s were")}");

    private static string SignalName(int signal) => signal switch
    {
        2 => " (SIGINT)",
        6 => " (SIGABRT)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        25 => " (SIGXFSZ: a file grew over its limit)",
        _ => "",
    };
}
