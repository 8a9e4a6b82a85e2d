using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Storage.Files;

/// <summary>
/// The one class that touches files below <c>blobs/</c>. Every path is resolved by the kernel below the root's descriptor
/// (openat2: nothing outside, no symbolic link at any step), opened without blocking, and checked on the open descriptor to be a
/// regular file. What a job plants in its folders (links, pipes, devices, sockets) is never followed or opened.
/// Paths are relative, with slashes. Thread safe.
/// </summary>
internal sealed class SafeFiles : IDisposable
{
    private const string TempFolder = ".tmp";
    private readonly UnsyncedFolders unsynced;
    private readonly SafeFileHandle root;
    private readonly SafeFileHandle temp;
    private long lastModified;
    private long tempCounter;

    /// <summary>Opens (and makes) the root; what an earlier process left half-written is removed.</summary>
    public SafeFiles(string rootPath)
    {
        RootPath = rootPath;
        Directory.CreateDirectory(rootPath);
        root = OpenRoot(rootPath);
        DeleteTree(TempFolder);
        EnsureFolder(TempFolder);
        temp = OpenFolder(TempFolder) ?? throw new PathBlockedException(TempFolder);
        unsynced = new UnsyncedFolders(root);
    }

    /// <summary>The absolute path of the root.</summary>
    public string RootPath { get; }

    /// <summary>Opens a regular file for reading; null when there is none, or something else has its name.</summary>
    public OpenFile? OpenRead(string path) => OpenFile(path, Native.ReadOnly);

    /// <summary>Opens an existing regular file for reading and writing.</summary>
    public OpenFile? OpenWrite(string path) => OpenFile(path, Native.ReadWrite);

    /// <summary>The stamp of a regular file, without opening it for reading; null when there is none.</summary>
    public FileStamp? Stamp(string path)
    {
        using var handle = OpenPath(path, 0);
        return handle is not null && Native.Status(handle, out var status) == 0 && status.IsFile ? status.Stamp : null;
    }

    public bool FolderExists(string path)
    {
        using var handle = OpenPath(path, Native.Directory);
        return handle is not null;
    }

    /// <summary>When the inode of an open file was last changed, in nanoseconds since 1970.</summary>
    public static long Changed(SafeFileHandle handle)
    {
        Check(Native.Status(handle, out var status), "a file");
        return status.Changed;
    }

    /// <summary>An open folder for <see cref="Entries"/> and <see cref="StampIn"/>; null when there is none.</summary>
    public SafeFileHandle? OpenFolder(string path)
    {
        var fd = Native.OpenBeneath(root, Checked(path), Native.ReadOnly | Native.Directory);
        return fd >= 0 ? Own(fd) : Absent(fd, path);
    }

    /// <summary>The stamp of a regular file directly in an open folder.</summary>
    public static FileStamp? StampIn(SafeFileHandle folder, string name) =>
        Native.Status(folder, name, out var status) == 0 && status.IsFile ? status.Stamp : null;

    /// <summary>The regular files and folders of an open folder, in no order. Names that are no UTF-8 are left out.</summary>
    public static IEnumerable<FolderEntry> Entries(SafeFileHandle folder)
    {
        foreach (var (raw, kind) in FolderReader.Read(folder))
        {
            if (!FolderReader.TryText(raw, out var name))
            {
                continue;
            }

            switch (kind)
            {
                case FolderReader.File:
                    yield return new(name, IsFolder: false);
                    break;
                case FolderReader.Folder:
                    yield return new(name, IsFolder: true);
                    break;
                case FolderReader.Unknown when Native.Status(folder, name, out var status) == 0 && (status.IsFile || status.IsFolder):
                    yield return new(name, status.IsFolder);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>
    /// Makes the folder and its parents; false when a regular file is in the way (<paramref name="blocker"/> is its path). When nothing durable needs the folder
    /// yet, its entry may wait for the disk (<paramref name="sync"/> false) until <see cref="SyncFolder"/> is called for a folder at or below it.
    /// </summary>
    public bool TryEnsureFolder(string path, out string blocker, bool sync = true)
    {
        blocker = "";
        if (path.Length == 0 || FolderExists(path))
        {
            return true;
        }

        var (parent, name) = Split(path);
        if (!TryEnsureFolder(parent, out blocker, sync))
        {
            return false;
        }

        using var handle = OpenFolder(parent) ?? throw new PathBlockedException(parent);
        var error = Native.MakeFolder(handle, name);
        if (error == 0)
        {
            if (sync)
            {
                Sync(handle);
            }
            else
            {
                unsynced.Add(parent);
            }

            return true;
        }

        if (error == -Native.EEXIST && FolderExists(path))
        {
            return true;
        }

        if (error == -Native.EEXIST && StampIn(handle, name) is not null)
        {
            blocker = path;
            return false;
        }

        throw Failure(error, path);
    }

    public void EnsureFolder(string path)
    {
        if (!TryEnsureFolder(path, out var blocker))
        {
            throw new PathBlockedException(blocker);
        }
    }

    /// <summary>A new empty file outside of every container, to be committed or discarded.</summary>
    public TempFile CreateTemp()
    {
        var name = $"{Environment.ProcessId:x}-{Interlocked.Increment(ref tempCounter):x}";
        var fd = Native.OpenBeneath(temp, name, Native.ReadWrite | Native.Create | Native.Exclusive, 0x1a4);
        return fd >= 0 ? new TempFile(this, Own(fd), name) : throw Failure(fd, $"{TempFolder}/{name}");
    }

    /// <summary>Gives the file a modification time that no other write of this process has.</summary>
    public FileStamp Touch(SafeFileHandle handle, DateTimeOffset now)
    {
        long last, next;
        do
        {
            last = Interlocked.Read(ref lastModified);
            next = Math.Max(last + 1, (now.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * 100);
        }
        while (Interlocked.CompareExchange(ref lastModified, next, last) != last);

        Check(Native.SetModified(handle, next), "");
        Check(Native.Status(handle, out var status), "");
        return status.Stamp;
    }

    /// <summary>Copies a finished file to the end of another.</summary>
    public static void Append(OpenFile target, TempFile source)
    {
        var from = 0L;
        var at = target.Stamp.Size;
        while (from < source.Length)
        {
            var copied = Native.CopyRange(source.Handle, ref from, target.Handle, ref at, source.Length - from);
            Check((int)Math.Min(copied, 0), "an append");
            if (copied == 0)
            {
                throw new EndOfStreamException();
            }
        }
    }

    /// <summary>Writes a file in one step, from its start or at its end, without waiting for the disk. False when something else has its name, or there is no such folder.</summary>
    public bool Write(string path, ReadOnlySpan<byte> bytes, bool append)
    {
        var fd = Native.OpenBeneath(root, Checked(path), Native.ReadWrite | Native.Create, 0x1a4);
        if (fd < 0)
        {
            Absent(fd, path);
            return false;
        }

        using var handle = Own(fd);
        if (Native.Status(handle, out var status) != 0 || !status.IsFile)
        {
            return false;
        }

        try
        {
            // Written before it is cut: who reads a log that only grows sees no gap.
            var at = append ? status.Stamp.Size : 0;
            RandomAccess.Write(handle, bytes, at);
            RandomAccess.SetLength(handle, at + bytes.Length);
            return true;
        }
        catch (IOException error) when (error.HResult is Native.ENOSPC or Native.EDQUOT or Native.EFBIG)
        {
            throw new StoreFullException(error.HResult);
        }
    }

    public static void Sync(SafeFileHandle handle) => Check(Native.Sync(handle), "a file");

    /// <summary>Moves the file, replacing a file or a planted link at the target. False when a folder is there, or anything at all with <paramref name="noReplace"/>.</summary>
    public bool Move(string from, string to, bool noReplace = false)
    {
        var (parent, name) = Split(from);
        using var folder = OpenFolder(parent);
        return folder is not null && MoveInto(folder, name, to, noReplace);
    }

    /// <summary>Makes the entries of a folder durable, and those by which it is found.</summary>
    public void SyncFolder(string path)
    {
        SyncOne(path);
        unsynced.SyncAbove(path, SyncOne);
    }

    /// <summary>Deletes a file, or a planted link, pipe or device itself; false when there is nothing, or a folder.</summary>
    public bool Delete(string path)
    {
        var (parent, name) = Split(path);
        using var folder = OpenFolder(parent);
        if (folder is null)
        {
            return false;
        }

        var error = Native.Unlink(folder, Bytes(name), isFolder: false);
        return error == 0 || (error is -Native.ENOENT or -Native.EISDIR or -Native.ENAMETOOLONG or -1 ? false : throw Failure(error, path));
    }

    /// <summary>Deletes a folder with everything in it. Links are removed, not followed.</summary>
    public void DeleteTree(string path)
    {
        using (var folder = OpenFolder(path))
        {
            if (folder is null)
            {
                return;
            }

            FolderReader.Empty(folder);
        }

        var (parent, name) = Split(path);
        using var above = OpenFolder(parent);
        if (above is not null)
        {
            var error = Native.Unlink(above, Bytes(name), isFolder: true);
            if (error is not (0 or -Native.ENOENT or -Native.ENOTEMPTY))
            {
                throw Failure(error, path);
            }
        }
    }

    public void Dispose()
    {
        temp.Dispose();
        root.Dispose();
    }

    internal bool MoveTemp(string name, string to, bool noReplace) => MoveInto(temp, name, to, noReplace);

    internal void DeleteTemp(string name) => Native.Unlink(temp, Bytes(name), isFolder: false);

    internal static void Check(int error, string path)
    {
        if (error < 0)
        {
            throw Failure(error, path);
        }
    }

    internal static IOException Failure(int error, string path) => -error switch
    {
        Native.ENOSPC or Native.EDQUOT or Native.EFBIG => new StoreFullException(-error),
        Native.ELOOP or Native.ENOTDIR or Native.EXDEV or Native.EEXIST or Native.ENXIO => new PathBlockedException(path),
        _ => new IOException($"The storage could not use '{path}' (errno {-error}).", -error),
    };

    private void SyncOne(string path)
    {
        using var folder = OpenFolder(path);
        if (folder is not null)
        {
            Check(Native.Sync(folder), path);
        }
    }

    private bool MoveInto(SafeFileHandle from, string name, string to, bool noReplace)
    {
        var (parent, target) = Split(to);
        using var folder = OpenFolder(parent) ?? throw new DirectoryNotFoundException(parent);
        var error = Native.Rename(from, name, folder, target, noReplace);
        return error switch
        {
            0 => true,
            -Native.EISDIR or -Native.EEXIST or -Native.ENOTEMPTY => false,
            _ => throw Failure(error, to),
        };
    }

    private OpenFile? OpenFile(string path, int flags)
    {
        var fd = Native.OpenBeneath(root, Checked(path), flags);
        if (fd < 0)
        {
            Absent(fd, path);
            return null;
        }

        var handle = Own(fd);
        if (Native.Status(handle, out var status) == 0 && status.IsFile)
        {
            return new OpenFile(handle, status.Stamp);
        }

        handle.Dispose();
        return null;
    }

    private SafeFileHandle? OpenPath(string path, int flags)
    {
        var fd = Native.OpenBeneath(root, Checked(path), Native.PathOnly | flags);
        return fd >= 0 ? Own(fd) : Absent(fd, path);
    }

    // "Not there" for every reader: nothing, a link on the way, a file where a folder should be, a socket or a pipe without a writer.
    private static SafeFileHandle? Absent(int error, string path) => -error switch
    {
        Native.ENOENT or Native.ENOTDIR or Native.ELOOP or Native.EXDEV or Native.ENXIO or Native.EISDIR or Native.ENAMETOOLONG => null,
        Native.ENOSYS => throw new PlatformNotSupportedException("Blobs need the openat2 system call: Linux 5.6 or newer, not blocked by a seccomp filter."),
        _ => throw Failure(error, path),
    };

    private static SafeFileHandle OpenRoot(string path)
    {
        using var slash = File.OpenHandle("/dev/null");
        var fd = Native.OpenFolderRaw(slash, [.. Bytes(Path.GetFullPath(path)), 0]);
        return fd >= 0 ? Own(fd) : throw Failure(fd, path);
    }

    private static SafeFileHandle Own(int fd) => new(fd, ownsHandle: true);

    private static byte[] Bytes(string name)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(name) + 1];
        Encoding.UTF8.GetBytes(name, bytes);
        return bytes;
    }

    // The kernel keeps the path below the root; within it, "..", "." and a cut-off at NUL would still reach a neighbour.
    private static string Checked(string path) =>
        path.Contains('\0', StringComparison.Ordinal) || $"/{path}/" is var framed && (framed.Contains("/../", StringComparison.Ordinal) || framed.Contains("/./", StringComparison.Ordinal))
            ? throw new PathBlockedException(path)
            : path;

    private static (string Parent, string Name) Split(string path)
    {
        var at = Checked(path).LastIndexOf('/');
        return at < 0 ? ("", path) : (path[..at], path[(at + 1)..]);
    }
}
