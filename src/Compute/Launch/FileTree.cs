using System.Text;
using Microsoft.Win32.SafeHandles;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>
/// Works on trees that tasks write, possibly while it does, and possibly as root: every step is taken from an open folder, so that no link is
/// ever followed, whatever is swapped meanwhile. Names are bytes; trees may be of any depth.
/// </summary>
internal sealed class FileTree(DataDirectory data)
{
    /// <summary>No blob lies deeper, so nothing below is of interest; deeper trees are still deleted.</summary>
    private const int Deepest = 256;

    /// <summary>An open folder; null when it is not there, no folder, or below the data directory and behind a link.</summary>
    public SafeFileHandle? OpenFolder(string path) => StrictPath.Of(data, path) is { } real ? Native.OpenWithoutLinks(real, Native.ReadOnly | Native.Directory) : null;

    /// <summary>The folder, made with its parents when missing.</summary>
    public SafeFileHandle EnsureFolder(string path)
    {
        if (OpenFolder(path) is { } there)
        {
            return there;
        }

        using var parent = EnsureFolder(Path.GetDirectoryName(path) ?? throw new DirectoryNotFoundException(path));
        return MakeFolder(parent, Path.GetFileName(path));
    }

    /// <summary>A folder in an open one, made when missing.</summary>
    public static SafeFileHandle MakeFolder(SafeFileHandle parent, string name)
    {
        var bytes = Bytes(name);
        Native.MakeFolderIn(parent, bytes);
        return Native.OpenIn(parent, bytes, Native.ReadOnly | Native.Directory)
            ?? throw new IOException($"The folder '{name}' cannot be made: something else has its name.");
    }

    /// <summary>A regular file in an open folder, made when missing, open for writing.</summary>
    public static SafeFileHandle MakeFile(SafeFileHandle parent, string name)
    {
        var file = Native.OpenIn(parent, Bytes(name), Native.ReadWrite | Native.Create, 0x1a4);
        if (file is null || !Native.IsFile(file))
        {
            file?.Dispose();
            throw new IOException($"The file '{name}' cannot be made: something else has its name.");
        }

        return file;
    }

    /// <summary>A regular file open for reading; null for everything else, a link and a pipe among it.</summary>
    public SafeFileHandle? OpenFile(string path)
    {
        using var parent = OpenFolder(Path.GetDirectoryName(path)!);
        var file = parent is null ? null : Native.OpenIn(parent, Bytes(Path.GetFileName(path)), Native.ReadOnly);
        if (file is not null && !Native.IsFile(file))
        {
            file.Dispose();
            return null;
        }

        return file;
    }

    /// <summary>Deletes the folder and all in it; nothing happens when it is not there.</summary>
    public void Delete(string folder)
    {
        using var parent = OpenFolder(Path.GetDirectoryName(folder)!);
        if (parent is not null && Enter(parent, Bytes(Path.GetFileName(folder))) is { } top)
        {
            using (top)
            {
                do
                {
                    Empty(top, top, 0);
                }
                while (Native.Names(top).Count > 0);
            }

            Remove(parent, Bytes(Path.GetFileName(folder)), isFolder: true);
        }
    }

    /// <summary>Calls <paramref name="visit"/> for the path itself and everything below it. What is not there, or behind a link, is passed over.</summary>
    public void Visit(string path, Action<SafeFileHandle> visit)
    {
        using var parent = OpenFolder(Path.GetDirectoryName(path)!);
        if (parent is not null)
        {
            Visit(parent, Bytes(Path.GetFileName(path)), visit, 0);
        }
    }

    /// <summary>As root a task runs as another user: what it may write becomes its own. Links are passed over, also those planted meanwhile.</summary>
    public void Hand(HostSandbox host, IEnumerable<string> paths)
    {
        foreach (var path in host.Root ? paths : [])
        {
            Visit(path, entry => Native.Own(entry, host.User, host.Group));
        }
    }

    /// <summary>Copies a file into the folder, or all that a folder holds: regular files and folders only.</summary>
    public void Copy(string from, string to)
    {
        using var target = OpenFolder(to) ?? throw new DirectoryNotFoundException(to);
        using var parent = OpenFolder(Path.GetDirectoryName(from)!) ?? throw new DirectoryNotFoundException(from);
        using var source = Native.OpenIn(parent, Bytes(Path.GetFileName(from)), Native.ReadOnly) ?? throw new FileNotFoundException("It is not there any more.", from);
        if (Native.IsFolder(source))
        {
            CopyFolder(source, target, 0);
        }
        else
        {
            CopyFile(source, target, Bytes(Path.GetFileName(from)));
        }
    }

    /// <summary>Gives the owner what a task may have taken away: read and write, and enter for a folder. Returns type and permissions as they were.</summary>
    public static int Open(SafeFileHandle entry)
    {
        const int file = 0x8000, folder = 0x4000;
        var mode = Native.Mode(entry);
        var wanted = (mode & 0xf000) switch { file => 0x180, folder => 0x1c0, _ => 0 };
        if ((mode & wanted) != wanted)
        {
            // Through the descriptor: what is open changes, not what has its name by now.
            File.SetUnixFileMode(FormattableString.Invariant($"/proc/self/fd/{entry.DangerousGetHandle()}"), (UnixFileMode)((mode & 0xfff) | wanted));
        }

        return mode;
    }

    private static void Visit(SafeFileHandle parent, byte[] name, Action<SafeFileHandle> visit, int depth)
    {
        using var entry = Native.OpenIn(parent, name, Native.PathOnly);
        if (entry is null)
        {
            return;
        }

        if (Native.IsFolder(entry) && depth < Deepest)
        {
            Open(entry);
            using var folder = Native.OpenIn(entry, [(byte)'.', 0], Native.ReadOnly | Native.Directory);
            foreach (var below in folder is null ? [] : Native.Names(folder))
            {
                Visit(folder!, below, visit, depth + 1);
            }
        }

        visit(entry);
    }

    /// <summary>A folder of an open one, its permissions given back; null when it is none.</summary>
    private static SafeFileHandle? Enter(SafeFileHandle parent, byte[] name)
    {
        using var entry = Native.OpenIn(parent, name, Native.PathOnly | Native.Directory);
        if (entry is null)
        {
            return null;
        }

        Open(entry);
        return Native.OpenIn(entry, [(byte)'.', 0], Native.ReadOnly | Native.Directory);
    }

    private static void Empty(SafeFileHandle top, SafeFileHandle folder, int depth)
    {
        foreach (var name in Native.Names(folder))
        {
            using var below = Enter(folder, name);
            if (below is null)
            {
                Remove(folder, name, isFolder: false);
                continue;
            }

            // What lies too deep is brought to the top, for the next round.
            if (depth == Deepest && Native.MoveIn(folder, name, top, Bytes($".zaffre-{Guid.NewGuid():N}")))
            {
                continue;
            }

            Empty(top, below, depth + 1);
            Remove(folder, name, isFolder: true);
        }
    }

    private static void Remove(SafeFileHandle folder, byte[] name, bool isFolder)
    {
        if (Native.RemoveIn(folder, name, isFolder) is not (0 or Native.NotThere) and var error)
        {
            throw new IOException($"'{Encoding.UTF8.GetString(name, 0, name.Length - 1)}' cannot be deleted (errno {error}).");
        }
    }

    private static void CopyFolder(SafeFileHandle source, SafeFileHandle target, int depth)
    {
        foreach (var name in Native.Names(source))
        {
            using var entry = Native.OpenIn(source, name, Native.ReadOnly);
            if (entry is null)
            {
                continue;
            }

            if (Native.IsFile(entry))
            {
                CopyFile(entry, target, name);
            }
            else if (depth < Deepest && Native.IsFolder(entry) && Native.MakeFolderIn(target, name))
            {
                using var below = Native.OpenIn(target, name, Native.ReadOnly | Native.Directory) ?? throw new IOException("A folder of the copy is gone.");
                CopyFolder(entry, below, depth + 1);
            }
        }
    }

    private static void CopyFile(SafeFileHandle source, SafeFileHandle target, byte[] name)
    {
        if (!Native.IsFile(source))
        {
            throw new IOException("It is neither a plain file nor a plain folder.");
        }

        const int permissions = 0x1ff, mine = 0x180;
        using var copy = Native.OpenIn(target, name, Native.ReadWrite | Native.Create | Native.Exclusive, (Native.Mode(source) & permissions) | mine)
            ?? throw new IOException("A file of the copy cannot be made.");
        if (Native.Clone(source, copy))
        {
            return;
        }

        using var from = new FileStream(source, FileAccess.Read, bufferSize: 0);
        using var to = new FileStream(copy, FileAccess.Write, bufferSize: 0);
        from.CopyTo(to);
    }

    private static byte[] Bytes(string name) => [.. Encoding.UTF8.GetBytes(name), 0];
}
