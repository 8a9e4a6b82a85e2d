using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <summary>A blob met on a walk.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct WalkedBlob(string Name, FileStamp Stamp);

/// <summary>Where a walk begins: after a name, or after every name that starts with it.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct WalkBound(string Name, bool WholePrefix)
{
    /// <summary>Whether the walk is past this blob name already.</summary>
    public bool PassedBlob(string name) =>
        NameOrder.Instance.Compare(name, Name) <= 0 || (WholePrefix && name.StartsWith(Name, StringComparison.Ordinal));

    /// <summary>Whether the walk is past every name in this folder (its name ends with a slash).</summary>
    public bool PassedFolder(string folder) =>
        WholePrefix && folder.StartsWith(Name, StringComparison.Ordinal)
        || (NameOrder.Instance.Compare(folder, Name) <= 0 && !Name.StartsWith(folder, StringComparison.Ordinal));
}

/// <summary>
/// Walks the blobs of a container in the order of their full names, with memory bounded by <paramref name="batch"/> entries per
/// level: a folder with more entries is read again for each further batch. Not thread safe.
/// </summary>
internal sealed class BlobWalker(SafeFiles files, BlobAddress container, string prefix, WalkBound? after, int batch) : IDisposable
{
    private readonly Stack<WalkFrame> frames = new();
    private bool started;

    /// <summary>The next blob, or null at the end.</summary>
    public WalkedBlob? Next()
    {
        if (!started)
        {
            started = true;
            var folder = prefix[..(prefix.LastIndexOf('/') + 1)];
            Enter(folder, BlobFiles.FolderPath(container.At(folder)));
        }

        while (frames.TryPeek(out var frame))
        {
            if (frame.Take() is not { } child)
            {
                frames.Pop().Dispose();
                continue;
            }

            if (child.IsFolder)
            {
                Enter(child.Key, child.Path);
                continue;
            }

            if (frame.Stamp(files, child) is { } stamp)
            {
                return new WalkedBlob(child.Key, stamp);
            }
        }

        return null;
    }

    /// <summary>Leaves every folder all of whose names start with <paramref name="skipped"/>.</summary>
    public void Skip(string skipped)
    {
        while (frames.TryPeek(out var frame) && frame.Name.StartsWith(skipped, StringComparison.Ordinal) && frame.Name.Length > 0)
        {
            frames.Pop().Dispose();
        }
    }

    public void Dispose()
    {
        while (frames.TryPop(out var frame))
        {
            frame.Dispose();
        }
    }

    private void Enter(string name, string path)
    {
        if (files.OpenFolder(path) is { } handle)
        {
            frames.Push(new WalkFrame(files, handle, new FrameScope(BlobFiles.ContainerPath(container), name, path, prefix, after), batch));
        }
    }
}
