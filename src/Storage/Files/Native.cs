using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Storage.Files;

/// <summary>The system calls of <see cref="SafeFiles"/>, for Linux on x64 and arm64. Nothing else may use them.</summary>
internal static unsafe partial class Native
{
    public const int ENOENT = 2;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int EDQUOT = 122;

    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;
    public const int RemoveFolder = 0x200;
    public const int NoReplace = 1;

    // These two differ between the architectures.
    public static readonly int Directory = Arm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = Arm ? 0x8000 : 0x20000;

    private const int SymlinkNoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint StatxBasic = 0x7ff;
    private const long OpenAt2Number = 437;
    private const ulong ResolveBeneath = 8;
    private const ulong ResolveNoSymlinks = 4;
    private const ulong ResolveNoMagicLinks = 2;

    private static bool Arm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>openat2 below <paramref name="folder"/>: no link anywhere on the way, nothing outside. Returns the descriptor or minus errno.</summary>
    public static int OpenBeneath(SafeFileHandle folder, string path, int flags, int mode = 0)
    {
        var how = new OpenHow
        {
            Flags = (ulong)(uint)(flags | CloseOnExec | NoFollow | ((flags & PathOnly) == 0 ? NonBlocking : 0)),
            Mode = (ulong)mode,
            Resolve = ResolveBeneath | ResolveNoSymlinks | ResolveNoMagicLinks,
        };
        for (var attempt = 0; ; attempt++)
        {
            var fd = (int)SysOpenAt2(OpenAt2Number, folder, path.Length == 0 ? "." : path, &how, sizeof(OpenHow));
            if (fd >= 0)
            {
                return fd;
            }

            // The kernel asks to try again when a rename elsewhere raced with the resolution.
            var error = Marshal.GetLastPInvokeError();
            if (error != EAGAIN || attempt == 16)
            {
                return -error;
            }
        }
    }

    public static int MakeFolder(SafeFileHandle folder, string name) => Result(MkdirAt(folder, name, 0x1ed));

    public static int Rename(SafeFileHandle from, string name, SafeFileHandle to, string newName, bool noReplace) =>
        Result(RenameAt2(from, name, to, newName, noReplace ? NoReplace : 0u));

    public static int Unlink(SafeFileHandle folder, byte[] name, bool isFolder) => Result(UnlinkAt(folder, name, isFolder ? RemoveFolder : 0));

    public static int OpenFolderRaw(SafeFileHandle folder, byte[] name) =>
        OpenAt(folder, name, ReadOnly | Directory | NoFollow | CloseOnExec | NonBlocking) is var fd and >= 0 ? fd : -Marshal.GetLastPInvokeError();

    /// <summary>Status of what the descriptor is open on.</summary>
    public static int Status(SafeFileHandle handle, out Statx status) => Result(StatxCall(handle, "", EmptyPath | SymlinkNoFollow, StatxBasic, out status));

    /// <summary>Status of an entry, of a link itself when it is one.</summary>
    public static int Status(SafeFileHandle folder, string name, out Statx status) => Result(StatxCall(folder, name, SymlinkNoFollow, StatxBasic, out status));

    public static int SetModified(SafeFileHandle handle, long nanoseconds)
    {
        var times = stackalloc Timespec[2];
        times[0] = times[1] = new Timespec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        return Result(FutimensCall(handle, times));
    }

    public static int Sync(SafeFileHandle handle) => Result(FsyncCall(handle));

    /// <summary>Makes everything durable that lies on the file system of an open folder.</summary>
    public static int SyncAll(SafeFileHandle folder) => Result(SyncfsCall(folder));

    public static long CopyRange(SafeFileHandle from, ref long fromOffset, SafeFileHandle to, ref long toOffset, long length)
    {
        fixed (long* source = &fromOffset, target = &toOffset)
        {
            var copied = CopyFileRange(from, source, to, target, (nuint)length, 0);
            return copied >= 0 ? copied : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Fills <paramref name="buffer"/> with folder entries; 0 at the end, minus errno on failure.</summary>
    public static int ReadEntries(SafeFileHandle folder, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            var read = (int)GetDents64(folder, start, (nuint)buffer.Length);
            return read >= 0 ? read : -Marshal.GetLastPInvokeError();
        }
    }

    private static int Result(int returned) => returned >= 0 ? 0 : -Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long SysOpenAt2(long number, SafeFileHandle folder, string path, OpenHow* how, nint size);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(SafeFileHandle folder, byte[] path, int flags);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MkdirAt(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(SafeFileHandle from, string name, SafeFileHandle to, string newName, uint flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int UnlinkAt(SafeFileHandle folder, byte[] name, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatxCall(SafeFileHandle folder, string path, int flags, uint mask, out Statx status);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    private static partial int FutimensCall(SafeFileHandle handle, Timespec* times);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncCall(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncfsCall(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial long CopyFileRange(SafeFileHandle from, long* fromOffset, SafeFileHandle to, long* toOffset, nuint length, uint flags);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    private static partial long GetDents64(SafeFileHandle folder, byte* buffer, nuint length);

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>struct statx: the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Statx
    {
        [FieldOffset(28)]
        private readonly ushort mode;
        [FieldOffset(32)]
        private readonly ulong inode;
        [FieldOffset(40)]
        private readonly ulong size;
        [FieldOffset(96)]
        private readonly long changedSeconds;
        [FieldOffset(104)]
        private readonly uint changedNanoseconds;
        [FieldOffset(112)]
        private readonly long modifiedSeconds;
        [FieldOffset(120)]
        private readonly uint modifiedNanoseconds;

        public readonly bool IsFile => (mode & 0xf000) == 0x8000;

        public readonly bool IsFolder => (mode & 0xf000) == 0x4000;

        /// <summary>When the inode was changed, in nanoseconds since 1970.</summary>
        public readonly long Changed => (changedSeconds * 1_000_000_000) + changedNanoseconds;

        public readonly FileStamp Stamp => new((long)inode, (long)size, (modifiedSeconds * 1_000_000_000) + modifiedNanoseconds);
    }
}
