using System.Runtime.InteropServices;

namespace Zaffre.App;

/// <summary>The few system calls that .NET has no name for.</summary>
internal static partial class Posix
{
    public const int Sigterm = 15;

    private const int Sigpipe = 13;

    /// <summary>Sends a signal; false when there is no such process or it is somebody else's.</summary>
    public static bool Signal(int pid, int signal) => Kill(pid, signal) == 0;

    /// <summary>Becomes the command: same process, its environment replaced. Returns only when that failed, with the reason.</summary>
    public static string Become(IReadOnlyList<string> command, IEnumerable<KeyValuePair<string, string>> environment)
    {
        // The runtime ignores SIGPIPE, and what is ignored stays ignored in the new program.
        SetHandler(Sigpipe, 0);
        ExecuteSearching(command[0], [.. command, null], [.. environment.Select(pair => $"{pair.Key}={pair.Value}"), null]);
        return Marshal.GetLastPInvokeErrorMessage();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "execvpe", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExecuteSearching(string file, string?[] arguments, string?[] environment);
}
