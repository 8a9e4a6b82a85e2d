using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>The task's log, seen from the server.</summary>
internal static class LogFile
{
    /// <summary>Makes the log exist and hands it to the task's user, who may reopen <c>/dev/stdout</c>.</summary>
    public static Problem? Ensure(FileTree files, string path, HostSandbox host)
    {
        try
        {
            using var parent = files.EnsureFolder(Path.GetDirectoryName(path)!);
            using var file = FileTree.MakeFile(parent, Path.GetFileName(path));
            if (host.Root)
            {
                Native.Own(file, host.User, host.Group);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return new Problem(ProblemKind.Invalid, "LogNotWritable", $"The log of the task cannot be written: {e.Message}");
        }
    }

    /// <summary>The last line that is not blank, cut to a readable length; null when there is none.</summary>
    public static string? LastLine(FileTree files, string path)
    {
        try
        {
            using var handle = files.OpenFile(path);
            if (handle is null)
            {
                return null;
            }

            using var file = new FileStream(handle, FileAccess.Read);
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
}
