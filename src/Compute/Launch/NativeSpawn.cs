using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>
/// A program to start: what becomes its descriptors 0 (null: nothing to read), 1 and 9, its folder and its whole environment. It has a session of its own, and no signal ignored or blocked.
/// </summary>
internal sealed record SpawnRequest(IReadOnlyList<string> Command, string Folder, IReadOnlyList<string> Environment)
{
    public SafeFileHandle? Input { get; init; }

    public required SafeHandle Output { get; init; }

    public SafeFileHandle? Lock { get; init; }
}

/// <summary>Starting programs without the class library's <c>Process</c>, which makes no session, passes no descriptors and ignores SIGPIPE.</summary>
internal static partial class Native
{
    /// <summary>The descriptor under which a launcher holds its lock.</summary>
    public const int LockDescriptor = 9;

    private const int SetSignalDefaults = 0x04;
    private const int SetSignalMask = 0x08;
    private const int SetSession = 0x80;

    // SIGPIPE, which the runtime ignores, and the two that posix_spawn itself would leave ignored where the C library handles them.
    private static readonly int[] Restored = [13, 32, 33];

    // Larger than glibc's structures on every architecture.
    private const int ActionsSize = 256;
    private const int AttributesSize = 1024;
    private const int SignalSetSize = 128;

    /// <summary>Starts the program; returns its process id, which the caller reaps with <see cref="Reap"/>.</summary>
    public static int Spawn(SpawnRequest request)
    {
        var (actions, attributes) = (Marshal.AllocHGlobal(ActionsSize), Marshal.AllocHGlobal(AttributesSize));
        Check(ActionsInit(actions));
        Check(AttributesInit(attributes));
        try
        {
            Check(request.Input is { } input ? AddDuplicate(actions, (int)input.DangerousGetHandle(), 0) : AddOpen(actions, 0, "/dev/null", ReadOnly, 0));
            Check(AddDuplicate(actions, (int)request.Output.DangerousGetHandle(), 1));
            if (request.Lock is { } held)
            {
                Check(AddDuplicate(actions, (int)held.DangerousGetHandle(), LockDescriptor));
            }

            Check(AddFolder(actions, request.Folder));
            var signals = new byte[SignalSetSize];
            Check(SetMask(attributes, signals));
            foreach (var signal in Restored)
            {
                signals[(signal - 1) / 8] |= (byte)(1 << ((signal - 1) % 8));
            }

            Check(SetDefaults(attributes, signals));
            Check(SetFlags(attributes, SetSession | SetSignalDefaults | SetSignalMask));
            Check(PosixSpawn(out var process, request.Command[0], actions, attributes, [.. request.Command, null], [.. request.Environment, null]));
            return process;
        }
        finally
        {
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
            Marshal.FreeHGlobal(actions);
            Marshal.FreeHGlobal(attributes);
            GC.KeepAlive(request);
        }
    }

    /// <summary>Waits for the end of a process that <see cref="Spawn"/> started.</summary>
    public static void Reap(int process)
    {
        const int interrupted = 4;
        while (WaitPid(process, 0, 0) < 0 && Marshal.GetLastPInvokeError() == interrupted)
        {
        }
    }

    /// <summary>Two ends of one stream, both closed in programs that are started.</summary>
    public static (SafeFileHandle Own, SafeFileHandle Other) Channel()
    {
        const int unix = 1, streamCloseOnExec = 1 | OpenCloseOnExec;
        var ends = new int[2];
        return SocketPair(unix, streamCloseOnExec, 0, ends) == 0
            ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw Failed("cannot make a pair of sockets");
    }

    /// <summary>A pipe, closed in programs that are started.</summary>
    public static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var ends = new int[2];
        return Pipe2(ends, OpenCloseOnExec) == 0
            ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
            : throw Failed("cannot make a pipe");
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new Win32Exception(error, "cannot start a program: " + Marshal.GetPInvokeErrorMessage(error));
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(out int process, string path, nint actions, nint attributes, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(nint actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(nint actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(nint actions, int descriptor, int target);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(nint actions, int target, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddFolder(nint actions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(nint attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(nint attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(nint attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(nint attributes, byte[] signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(nint attributes, byte[] signals);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int process, nint status, int options);

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPair(int family, int type, int protocol, int[] ends);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int Pipe2(int[] ends, int flags);
}
