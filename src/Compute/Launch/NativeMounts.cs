using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>Mounts by handle, made here and attached in a sandbox that waits for its task.</summary>
internal static partial class Native
{
    private const long OpenTree = 428;
    private const long MoveMount = 429;
    private const long SetMountAttributes = 442;

    /// <summary>A mount, attached nowhere yet, of exactly what was identified; null when it is not there any more or this kernel cannot.</summary>
    public static SafeFileHandle? Detached(string path, FileIdentity identity, bool writable)
    {
        const uint clone = 1;
        const ulong readOnly = 1, noSetUser = 2, noDevices = 4;
        using var handle = OpenPath(path);
        if (handle is null || Identify(handle, path) != identity)
        {
            return null;
        }

        var tree = Handle((int)OpenTreeCall(OpenTree, handle, "", clone | OpenCloseOnExec | AtEmptyPath));
        var attributes = new MountAttributes { Set = noSetUser | noDevices | (writable ? 0 : readOnly) };
        if (tree is null || SetMountAttributesCall(SetMountAttributes, tree, "", AtEmptyPath, ref attributes, (nuint)Marshal.SizeOf<MountAttributes>()) == 0)
        {
            return tree;
        }

        tree.Dispose();
        return null;
    }

    /// <summary>A process's view of files; null when there is no such process.</summary>
    public static SafeFileHandle? OpenView(int process) => OpenAt(FormattableString.Invariant($"/proc/{process}/ns/mnt"), new OpenHow { Flags = OpenCloseOnExec });

    /// <summary>
    /// Moves the calling thread for good into a process's view of files, where it makes files as the user given; false when it may not. From then on the
    /// thread must do nothing but calls of this class: not even the runtime's own files are to be found.
    /// </summary>
    public static bool EnterView(SafeFileHandle view, uint user, uint group)
    {
        const int ownFolders = 0x200, mounts = 0x20000;
        if (Unshare(ownFolders) != 0 || SetNamespace(view, mounts) != 0)
        {
            return false;
        }

        _ = SetFileGroup(group);
        _ = SetFileUser(user);
        return true;
    }

    /// <summary>
    /// Attaches a mount at a path without links, given as the path of each folder on the way and at last itself; what is missing is made, the last a file or
    /// a folder. Throws nothing.
    /// </summary>
    public static bool Attach(SafeFileHandle tree, string[] way, bool isFolder)
    {
        const uint fromEmpty = 0x4, toEmpty = 0x40;
        for (var step = 0; step < way.Length; step++)
        {
            using var place = OpenPath(way[step]) ?? MadeAt(way[step], isFolder || step < way.Length - 1);
            if (place is null)
            {
                return false;
            }

            if (step == way.Length - 1)
            {
                return MoveMountCall(MoveMount, tree, "", place, "", fromEmpty | toEmpty) == 0;
            }
        }

        return false;
    }

    /// <summary>Moves a file or folder, onto an empty folder too; false when it cannot.</summary>
    public static bool Move(string from, string to) => Rename(from, to) == 0;

    private static SafeFileHandle? MadeAt(string path, bool isFolder)
    {
        const uint everybodyReads = 0x1ed;
        if (isFolder)
        {
            _ = MakeDirectory(path, everybodyReads);
        }
        else
        {
            OpenAt(path, new OpenHow { Flags = (uint)(ReadWrite | Create | Exclusive) | OpenCloseOnExec, Mode = 0x1a4 })?.Dispose();
        }

        return OpenPath(path);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long OpenTreeCall(long number, SafeFileHandle folder, string path, uint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long SetMountAttributesCall(long number, SafeFileHandle folder, string path, uint flags, ref MountAttributes attributes, nuint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long MoveMountCall(long number, SafeFileHandle from, string fromPath, SafeFileHandle to, string toPath, uint flags);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeFileHandle space, int kind);

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileUser(uint user);

    [LibraryImport("libc", EntryPoint = "setfsgid")]
    private static partial int SetFileGroup(uint group);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectory(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [StructLayout(LayoutKind.Sequential)]
    private struct MountAttributes
    {
        public ulong Set;
        public ulong Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }
}
