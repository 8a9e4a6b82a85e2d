using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>Files by descriptor and by a name in an open folder, so that nothing a task swaps meanwhile leads anywhere else.</summary>
internal static partial class Native
{
    public const int NotThere = 2;

    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int PathOnly = OpenPathOnly;

    // These two differ between the architectures.
    public static readonly int Directory = Arm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = Arm ? 0x8000 : 0x20000;

    private const int NonBlocking = 0x800;
    private const int RemoveFolder = 0x200;

    private static bool Arm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>An absolute path in which no component is a link; null when there is none such.</summary>
    public static SafeFileHandle? OpenWithoutLinks(string path, int flags)
    {
        var how = new OpenHow { Flags = (ulong)(uint)Flags(flags), Resolve = ResolveNoSymlinks };
        return Handle((int)OpenAt2Call(OpenAt2, CurrentDirectory, path, ref how, (nuint)Marshal.SizeOf<OpenHow>()));
    }

    /// <summary>An entry of an open folder, never through a link and never waiting; null when it cannot be had.</summary>
    public static SafeFileHandle? OpenIn(SafeFileHandle folder, byte[] name, int flags, int mode = 0) => Handle(OpenAt(folder, name, Flags(flags), mode));

    /// <summary>Makes a folder unless something of that name is there; false when it cannot.</summary>
    public static bool MakeFolderIn(SafeFileHandle folder, byte[] name)
    {
        const int everybodyReads = 0x1ed, alreadyThere = 17;
        return MakeDirectoryAt(folder, name, everybodyReads) == 0 || Marshal.GetLastPInvokeError() == alreadyThere;
    }

    /// <summary>Removes an entry, a link itself; 0 or the error.</summary>
    public static int RemoveIn(SafeFileHandle folder, byte[] name, bool isFolder) =>
        UnlinkAt(folder, name, isFolder ? RemoveFolder : 0) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Moves an entry into another open folder; false when it cannot.</summary>
    public static bool MoveIn(SafeFileHandle folder, byte[] name, SafeFileHandle target, byte[] newName) => RenameAt(folder, name, target, newName) == 0;

    /// <summary>
    /// Makes an empty file hold what another holds, without reading it: its blocks are shared where the file system can, else the kernel copies them. False when
    /// neither can be done, and then nothing was written.
    /// </summary>
    public static bool Clone(SafeFileHandle source, SafeFileHandle target)
    {
        const nuint shareBlocks = 0x40049409, chunk = 1 << 30;
        if (Control(target, shareBlocks, source) == 0)
        {
            return true;
        }

        nint copied, all = 0;
        while ((copied = CopyRange(source, 0, target, 0, chunk, 0)) > 0)
        {
            all += copied;
        }

        return copied == 0 || (all > 0 ? throw Failed("cannot copy a file") : false);
    }

    /// <summary>Gives what is open to a user.</summary>
    public static void Own(SafeFileHandle file, uint user, uint group)
    {
        if (ChangeOwner(file, [0], user, group, AtEmptyPath) != 0)
        {
            throw Failed($"cannot give a file to user {user}");
        }
    }

    /// <summary>Type and permissions of what is open.</summary>
    public static int Mode(SafeFileHandle file) => StatX(file, "", AtEmptyPath, 0x7ff, out var stat) == 0 ? stat.Mode : throw Failed("cannot look at a file");

    public static bool IsFolder(SafeFileHandle file) => (Mode(file) & 0xf000) == 0x4000;

    public static bool IsFile(SafeFileHandle file) => (Mode(file) & 0xf000) == 0x8000;

    /// <summary>The names in an open folder, in bytes with a closing zero, as no text encoding is promised.</summary>
    public static List<byte[]> Names(SafeFileHandle folder)
    {
        // A descriptor of its own: one reads its folder only once.
        using var fresh = OpenIn(folder, [(byte)'.', 0], ReadOnly | Directory) ?? throw Failed("cannot read a folder");
        var names = new List<byte[]>();
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int length;
            while ((length = (int)ReadEntries(fresh, buffer, (nuint)buffer.Length)) > 0)
            {
                for (var at = 0; at < length; at += BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(at + 16)))
                {
                    var name = buffer.AsSpan(at + 19, buffer.AsSpan(at + 19).IndexOf((byte)0) + 1).ToArray();
                    if (name is not ([(byte)'.', 0] or [(byte)'.', (byte)'.', 0]))
                    {
                        names.Add(name);
                    }
                }
            }

            return length == 0 ? names : throw Failed("cannot read a folder");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int Flags(int flags) => flags | NoFollow | OpenCloseOnExec | ((flags & PathOnly) == 0 ? NonBlocking : 0);

    private static SafeFileHandle? Handle(int descriptor) => descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle target, nuint request, SafeFileHandle source);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyRange(SafeFileHandle source, nint sourceOffset, SafeFileHandle target, nint targetOffset, nuint length, uint flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(SafeFileHandle folder, byte[] name, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    private static partial int MakeDirectoryAt(SafeFileHandle folder, byte[] name, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int UnlinkAt(SafeFileHandle folder, byte[] name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    private static partial int RenameAt(SafeFileHandle folder, byte[] name, SafeFileHandle target, byte[] newName);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    private static partial int ChangeOwner(SafeFileHandle file, byte[] path, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    private static partial nint ReadEntries(SafeFileHandle folder, byte[] buffer, nuint size);
}
