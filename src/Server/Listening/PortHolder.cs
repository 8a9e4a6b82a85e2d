using System.Globalization;

namespace Zaffre.Server.Listening;

/// <summary>Who listens on a port, from <c>/proc</c>.</summary>
internal static class PortHolder
{
    private const string Listening = "0A";

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Process id and command, or what could be found out.</summary>
    public static string Describe(int port) => Find(port) switch
    {
        { } holder => $"process {holder.Id} ({(holder.Command.Length <= 200 ? holder.Command : holder.Command[..200] + "...")})",
        null => "another process (which one is not visible to this user)",
    };

    public static (int Id, string Command)? Find(int port)
    {
        var inodes = Tables.SelectMany(file => Inodes(file, port)).Select(inode => $"socket:[{inode}]").ToHashSet(StringComparer.Ordinal);
        if (inodes.Count == 0)
        {
            return null;
        }

        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Holds(process, inodes))
            {
                return (id, CommandOf(process));
            }
        }

        return null;
    }

    private static IEnumerable<string> Inodes(string file, int port)
    {
        if (!File.Exists(file))
        {
            yield break;
        }

        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (var line in File.ReadLines(file).Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 9 && columns[1].EndsWith(suffix, StringComparison.Ordinal) && columns[3] == Listening)
            {
                yield return columns[9];
            }
        }
    }

    private static bool Holds(string process, HashSet<string> inodes)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(fd => new FileInfo(fd).LinkTarget is { } target && inodes.Contains(target));
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            // Another user's process, or one that ended meanwhile.
            return false;
        }
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).TrimEnd('\0').Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "ended meanwhile";
        }
    }
}
