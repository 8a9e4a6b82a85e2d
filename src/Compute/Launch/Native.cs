using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>The system calls that the class library has no door to. Linux only.</summary>
internal static partial class Native
{
    public const int SigTerm = 15;
    public const int SigKill = 9;
    public const int SigCont = 18;
    public const int NoSuchProcess = 3;

    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int AtEmptyPath = 0x1000;
    private const int CurrentDirectory = -100;
    private const int OpenPathOnly = 0x200000;
    private const int OpenCloseOnExec = 0x80000;
    private const ulong ResolveNoSymlinks = 0x04;
    private const long OpenAt2 = 437;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint EffectiveGroup();

    /// <summary>Sends a signal; false when there is no such process.</summary>
    public static bool Signal(int process, int signal) => Kill(process, signal) == 0 || Marshal.GetLastPInvokeError() != NoSuchProcess;

    /// <summary>The file opened for reading and writing without any lock, or null when it is not there or behind a link.</summary>
    public static SafeFileHandle? TryOpen(string path)
    {
        const ulong readWrite = 2, noFollow = 0x20000;
        return OpenAt(path, new OpenHow { Flags = readWrite | noFollow | OpenCloseOnExec });
    }

    /// <summary>As <see cref="TryOpen"/>, and made when it is not there.</summary>
    public static SafeFileHandle? OpenOrMake(string path)
    {
        const ulong readWriteAppend = 0x402, noFollow = 0x20000;
        return OpenAt(path, new OpenHow { Flags = readWriteAppend | noFollow | OpenCloseOnExec | (uint)Create, Mode = 0x1a4 });
    }

    /// <summary>Gives the file or folder to a user; false when a component of the path is missing or a link.</summary>
    public static bool Give(string path, uint user, uint group)
    {
        using var handle = OpenPath(path);
        if (handle is null)
        {
            return false;
        }

        return ChangeOwner(handle, "", user, group, AtEmptyPath) == 0 ? true : throw Failed($"cannot give {path} to user {user}");
    }

    /// <summary>The path with every link resolved, or null when there is nothing.</summary>
    public static string? RealPath(string path)
    {
        var found = RealPath(path, 0);
        try
        {
            return Marshal.PtrToStringUTF8(found);
        }
        finally
        {
            Free(found);
        }
    }

    /// <summary>True when the lock was free and is now held by <paramref name="file"/>.</summary>
    public static bool TryLock(SafeFileHandle file) => Flock(file, LockExclusive | LockNonBlocking) == 0;

    /// <summary>Blocks the calling thread until no exclusive lock is held on the file.</summary>
    public static void WaitForLock(SafeFileHandle file)
    {
        while (Flock(file, LockShared) != 0)
        {
            const int interrupted = 4;
            if (Marshal.GetLastPInvokeError() != interrupted)
            {
                throw Failed("cannot wait for the lock");
            }
        }
    }

    /// <summary>Device and inode of a path in which no component is a link, or null when there is no such path.</summary>
    public static FileIdentity? Identify(string path)
    {
        using var handle = OpenPath(path);
        if (handle is null)
        {
            return null;
        }

        return Identify(handle, path);
    }

    private static FileIdentity Identify(SafeFileHandle handle, string path)
    {
        const uint basic = 0x7ff;
        return StatX(handle, "", AtEmptyPath, basic, out var stat) != 0
            ? throw Failed($"cannot look at {path}")
            : new FileIdentity(Device(stat.DeviceMajor, stat.DeviceMinor), stat.Inode, stat.User, (UnixFileMode)(stat.Mode & 0xfff), (stat.Mode & 0xf000) == 0x4000);
    }

    /// <summary>Gives the calling thread, and what it starts, a mount namespace of its own; false when that is not allowed.</summary>
    public static bool LeaveMounts()
    {
        const int newMounts = 0x20000;
        const ulong recursive = 0x4000, @private = 1 << 18;
        return Unshare(newMounts) == 0 && Mount("none", "/", 0, recursive | @private, 0) == 0;
    }

    /// <summary>Mounts exactly what was identified, however the path changed since; false when it is not there any more.</summary>
    public static bool Bind(string path, FileIdentity identity, string at)
    {
        const ulong bind = 0x1000;
        using var handle = OpenPath(path);
        return handle is not null && Identify(handle, path) == identity
            && Mount(FormattableString.Invariant($"/proc/self/fd/{handle.DangerousGetHandle()}"), at, 0, bind, 0) == 0;
    }

    /// <summary>Shows a folder and the mounts below it at another place.</summary>
    public static bool BindAll(string folder, string at)
    {
        const ulong bind = 0x1000, recursive = 0x4000;
        return Mount(folder, at, 0, bind | recursive, 0) == 0;
    }

    private static SafeFileHandle? OpenPath(string path) => OpenAt(path, new OpenHow { Flags = OpenPathOnly | OpenCloseOnExec, Resolve = ResolveNoSymlinks });

    private static SafeFileHandle? OpenAt(string path, OpenHow how)
    {
        var descriptor = (int)OpenAt2Call(OpenAt2, CurrentDirectory, path, ref how, (nuint)Marshal.SizeOf<OpenHow>());
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static ulong Device(ulong major, ulong minor) =>
        ((major & 0xfffff000) << 32) | ((major & 0xfff) << 8) | ((minor & 0xffffff00) << 12) | (minor & 0xff);

    private static Win32Exception Failed(string what) =>
        new(Marshal.GetLastPInvokeError(), $"{what}: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>Lets the calling thread run after others, by <paramref name="much"/> of 19; it stays so.</summary>
    public static void GiveWay(int much) => _ = SetPriority(0, 0, much);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(SafeFileHandle folder, string path, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, nint type, ulong flags, nint data);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long OpenAt2Call(long number, long folder, string path, ref OpenHow how, nuint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle folder, string path, int flags, uint mask, out Stat stat);

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Stat
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}

/// <summary>What a path named when it was looked at.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, uint User, UnixFileMode Mode, bool IsFolder);
