using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Compute.Launch;

/// <summary>The control groups of one task, and the files by which the launcher joins, reads and empties them.</summary>
internal sealed record TaskGroups
{
    public static TaskGroups None { get; } = new();

    /// <summary>Folders, to be removed after the end.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>Files that a process writes <c>0</c> to in order to join.</summary>
    public IReadOnlyList<string> Join { get; init; } = [];

    /// <summary>Files with counters, recorded at the end.</summary>
    public IReadOnlyList<string> Usage { get; init; } = [];

    /// <summary>The list of processes inside, or null.</summary>
    public string? Processes { get; init; }

    public bool LimitsMemory { get; init; }

    public bool LimitsProcesses { get; init; }

    public bool LimitsCpu { get; init; }

    public TaskGroups And(TaskGroups other) => new()
    {
        Folders = [.. Folders, .. other.Folders],
        Join = [.. Join, .. other.Join],
        Usage = [.. Usage, .. other.Usage],
        Processes = Processes ?? other.Processes,
        LimitsMemory = LimitsMemory || other.LimitsMemory,
        LimitsProcesses = LimitsProcesses || other.LimitsProcesses,
        LimitsCpu = LimitsCpu || other.LimitsCpu,
    };
}

/// <summary>
/// Creates control groups below the server's own, in whichever version the host offers: the unified tree when it has the controllers,
/// else the controller trees of version 1. What cannot be written is left out and shows in the result.
/// </summary>
internal sealed class ControlGroups(string tree, string membership)
{
    private const int CpuPeriod = 100_000;
    private readonly Lock gate = new();
    private string? unified;
    private bool unifiedChecked;

    public static ControlGroups OfHost() => new("/sys/fs/cgroup", "/proc/self/cgroup");

    public TaskGroups Create(string dataRoot, TaskId id, TaskLimits limits)
    {
        var name = "zaffre." + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{dataRoot}\n{id}")))[..24];
        return Unified() is { } own
            ? CreateUnified(System.IO.Path.Combine(own, name), limits)
            : CreateSeparate(name, limits);
    }

    /// <summary>Removes emptied groups; one that still has a dying process inside is tried again.</summary>
    public static async Task RemoveAsync(IEnumerable<string> folders)
    {
        foreach (var folder in folders)
        {
            for (var attempt = 0; Directory.Exists(folder) && attempt < 20; attempt++)
            {
                try
                {
                    Directory.Delete(folder);
                }
                catch (IOException) when (attempt < 19)
                {
                    await Task.Delay(5 * (attempt + 1)).ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    return;
                }
            }
        }
    }

    private static bool TryWrite(string file, string value)
    {
        try
        {
            File.WriteAllText(file, value);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool TryCreate(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static TaskGroups CreateUnified(string folder, TaskLimits limits)
    {
        if (!TryCreate(folder))
        {
            return TaskGroups.None;
        }

        string At(string file) => System.IO.Path.Combine(folder, file);
        var memory = limits.MemoryBytes is { } bytes && TryWrite(At("memory.max"), Text(bytes));
        if (memory)
        {
            TryWrite(At("memory.swap.max"), "0");
            TryWrite(At("memory.oom.group"), "1");
        }

        return new TaskGroups
        {
            Folders = [folder],
            Join = [At("cgroup.procs")],
            Processes = At("cgroup.procs"),
            Usage = [At("memory.events"), At("memory.peak"), At("pids.events"), At("cpu.stat")],
            LimitsMemory = memory,
            LimitsProcesses = limits.Processes is { } processes && TryWrite(At("pids.max"), Text(processes)),
            LimitsCpu = limits.Cpus is { } cpus && TryWrite(At("cpu.max"), $"{Text((long)(cpus * CpuPeriod))} {Text(CpuPeriod)}"),
        };
    }

    private TaskGroups CreateSeparate(string name, TaskLimits limits)
    {
        var groups = TaskGroups.None;
        foreach (var (controller, own) in SeparateGroups())
        {
            var folder = System.IO.Path.Combine(own, name);
            if (!TryCreate(folder))
            {
                continue;
            }

            string At(string file) => System.IO.Path.Combine(folder, file);
            var made = new TaskGroups { Folders = [folder], Join = [At("tasks")] };
            groups = groups.And(controller switch
            {
                "memory" => made with { LimitsMemory = LimitMemory(folder, limits.MemoryBytes), Usage = [At("memory.oom_control"), At("memory.max_usage_in_bytes")] },
                "pids" => made with
                {
                    LimitsProcesses = limits.Processes is { } processes && TryWrite(At("pids.max"), Text(processes)),
                    Processes = At("cgroup.procs"),
                    Usage = [At("pids.events")],
                },
                "cpu" => made with
                {
                    LimitsCpu = limits.Cpus is { } cpus && TryWrite(At("cpu.cfs_period_us"), Text(CpuPeriod)) && TryWrite(At("cpu.cfs_quota_us"), Text((long)(cpus * CpuPeriod))),
                },
                _ => made with { Usage = [At("cpuacct.usage")] },
            });
        }

        return groups;
    }

    private static bool LimitMemory(string folder, long? bytes)
    {
        if (bytes is null || !TryWrite(System.IO.Path.Combine(folder, "memory.limit_in_bytes"), Text(bytes.Value)))
        {
            return false;
        }

        TryWrite(System.IO.Path.Combine(folder, "memory.memsw.limit_in_bytes"), Text(bytes.Value));
        return true;
    }

    /// <summary>The server's own group in each version 1 tree that matters.</summary>
    private IEnumerable<(string Controller, string Folder)> SeparateGroups()
    {
        foreach (var parts in Membership())
        {
            foreach (var controller in parts[1].Split(',').Where(c => c is "memory" or "pids" or "cpu" or "cpuacct"))
            {
                var mounted = new[] { parts[1], controller }.Select(n => System.IO.Path.Combine(tree, n)).FirstOrDefault(Directory.Exists);
                if (mounted is null)
                {
                    continue;
                }

                var own = mounted + parts[2].TrimEnd('/');
                yield return (controller, Directory.Exists(own) ? own : mounted);
                if (parts[1].StartsWith("cpu,", StringComparison.Ordinal) && controller == "cpu")
                {
                    break;
                }
            }
        }
    }

    private IEnumerable<string[]> Membership() =>
        File.Exists(membership) ? File.ReadAllLines(membership).Select(l => l.Split(':', 3)).Where(p => p.Length == 3) : [];

    /// <summary>The server's own group in the unified tree when it can hand memory and pids down, else null.</summary>
    private string? Unified()
    {
        lock (gate)
        {
            if (!unifiedChecked)
            {
                (unified, unifiedChecked) = (FindUnified(), true);
            }

            return unified;
        }
    }

    private string? FindUnified()
    {
        var own = Membership().Where(p => p[0] == "0" && p[1].Length == 0).Select(p => tree + p[2].TrimEnd('/')).FirstOrDefault();
        var controllers = own is null ? null : System.IO.Path.Combine(own, "cgroup.controllers");
        if (own is null || !File.Exists(controllers))
        {
            return null;
        }

        var offered = File.ReadAllText(controllers).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (!offered.Contains("memory") || !offered.Contains("pids"))
        {
            return null;
        }

        var wanted = "+memory +pids" + (offered.Contains("cpu") ? " +cpu" : "");
        var switches = System.IO.Path.Combine(own, "cgroup.subtree_control");
        if (TryWrite(switches, wanted))
        {
            return own;
        }

        // A group with processes of its own may not hand controllers down: the server steps into a leaf first.
        var leaf = System.IO.Path.Combine(own, "zaffre.server");
        return TryCreate(leaf) && TryWrite(System.IO.Path.Combine(leaf, "cgroup.procs"), Text(Environment.ProcessId)) && TryWrite(switches, wanted) ? own : null;
    }
}
