using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>The task's log, seen from the server.</summary>
internal static class LogFile
{
    /// <summary>
    /// Makes the log exist and hands it to the task's user, who may reopen <c>/dev/stdout</c>. A link in its place, or on the way to it, is refused.
    /// </summary>
    public static Problem? Ensure(DataDirectory data, string path, HostSandbox host)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (StrictPath.Of(data, path) is not { } real || Native.Identify(Path.GetDirectoryName(real)!) is null || new FileInfo(real).LinkTarget is not null)
            {
                return Unwritable("it lies behind a link");
            }

            using (new FileStream(real, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
            {
            }

            return host.Root && !Native.Give(real, host.User, host.Group) ? Unwritable("it lies behind a link") : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return Unwritable(e.Message);
        }
    }

    /// <summary>The last line that is not blank, cut to a readable length; null when there is none.</summary>
    public static string? LastLine(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, 4096), SeekOrigin.End);
            using var reader = new StreamReader(file);
            var line = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
            return line is { Length: > 300 } ? line[..300] : line;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Problem Unwritable(string why) => new(ProblemKind.Invalid, "LogNotWritable", $"The log of the task cannot be written: {why}.");
}
