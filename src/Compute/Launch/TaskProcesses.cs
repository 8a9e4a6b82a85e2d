using System.Globalization;

namespace Zaffre.Compute.Launch;

/// <summary>Finds and signals the processes of a task: those in its control group, else the descendants of its launcher.</summary>
internal static class TaskProcesses
{
    /// <summary>Asks the task's own processes to end; the sandbox around them stays.</summary>
    public static void Terminate(TaskFolder folder)
    {
        foreach (var process in Find(folder).Where(p => !IsSandbox(p)))
        {
            Native.Signal(process, Native.SigTerm);
            Native.Signal(process, Native.SigCont);
        }
    }

    /// <summary>Kills everything of the task but the launcher, which writes the exit record.</summary>
    public static void Kill(TaskFolder folder)
    {
        // A fork bomb makes new ones while the list is read; the end of a sandbox's first process ends all at once.
        for (var round = 0; round < 50; round++)
        {
            var found = Find(folder);
            if (found.Count == 0)
            {
                return;
            }

            foreach (var process in found)
            {
                Native.Signal(process, Native.SigKill);
            }
        }
    }

    /// <summary>How long the launcher has lived, by the kernel's clock since boot; null when it does not live.</summary>
    public static TimeSpan? Age(TaskFolder folder)
    {
        const double ticksPerSecond = 100;
        try
        {
            // The program's name, in parentheses, may hold anything; the start is the 20th field behind it.
            var stat = TaskFolder.Line(folder.Launcher) is { Length: > 0 } launcher ? File.ReadAllText($"/proc/{launcher}/stat") : "";
            return stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 19 } fields
                ? TimeSpan.FromSeconds(double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture) - (double.Parse(fields[19], CultureInfo.InvariantCulture) / ticksPerSecond))
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The processes of a task.</summary>
    public static List<int> Find(TaskFolder folder)
    {
        if (folder.Containing("processes") is { } list)
        {
            try
            {
                return [.. File.ReadAllLines(list).Select(l => int.Parse(l, CultureInfo.InvariantCulture)).Where(p => p > 0)];
            }
            catch (IOException)
            {
                return [];
            }
        }

        return int.TryParse(TaskFolder.Line(folder.Launcher), CultureInfo.InvariantCulture, out var launcher) ? Descendants(launcher) : [];
    }

    private static List<int> Descendants(int ancestor)
    {
        var children = new Dictionary<int, List<int>>();
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(entry), CultureInfo.InvariantCulture, out var process)
                && Field(process, "PPid:") is { } parent && int.TryParse(parent, CultureInfo.InvariantCulture, out var number))
            {
                (children.TryGetValue(number, out var list) ? list : children[number] = []).Add(process);
            }
        }

        List<int> found = [];
        Stack<int> open = new([ancestor]);
        while (open.TryPop(out var process))
        {
            foreach (var child in children.GetValueOrDefault(process) ?? [])
            {
                found.Add(child);
                open.Push(child);
            }
        }

        return found;
    }

    /// <summary>Bubblewrap's watcher outside and its first process inside: the launcher waits for the one, all others live by the other.</summary>
    private static bool IsSandbox(int process) =>
        Field(process, "Name:") == "bwrap" && Field(process, "NSpid:")?.Split('\t', StringSplitOptions.RemoveEmptyEntries) is [_] or [.., "1"];

    private static string? Field(int process, string name)
    {
        try
        {
            return File.ReadLines(FormattableString.Invariant($"/proc/{process}/status"))
                .FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
