using Microsoft.Win32.SafeHandles;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <summary>What one folder contributes to a walk: its blob-name prefix, its path, and which names are wanted.</summary>
internal sealed record FrameScope(string Root, string Name, string Path, string Prefix, WalkBound? After);

/// <summary>A child of a folder; the key is the blob's name, or the folder's with a closing slash.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct WalkChild(string Key, string Path, string Entry, bool IsFolder, bool Direct, bool Beside);

/// <summary>One open folder of a walk: hands out its children in order, a bounded batch at a time.</summary>
internal sealed class WalkFrame(SafeFiles files, SafeFileHandle handle, FrameScope scope, int batch) : IDisposable
{
    private static readonly Comparer<WalkChild> Order = Comparer<WalkChild>.Create(static (x, y) =>
        NameOrder.Instance.Compare(x.Key, y.Key) is var byKey and not 0 ? byKey : x.Beside.CompareTo(y.Beside));

    private List<WalkChild> children = [];
    private SafeFileHandle? current = handle;
    private string? last;
    private int position;
    private bool complete;

    public string Name => scope.Name;

    /// <summary>The next child, or null at the end.</summary>
    public WalkChild? Take()
    {
        while (true)
        {
            while (position < children.Count)
            {
                var child = children[position++];
                if (child.Key != last)
                {
                    last = child.Key;
                    return child;
                }
            }

            if (complete)
            {
                return null;
            }

            Load();
        }
    }

    public FileStamp? Stamp(SafeFiles store, WalkChild child) =>
        child.Direct && current is not null ? SafeFiles.StampIn(current, child.Entry) : store.Stamp(child.Path);

    public void Dispose() => current?.Dispose();

    private void Load()
    {
        // A descriptor reads its folder once; a later batch needs a new one.
        if (last is not null)
        {
            current?.Dispose();
            current = files.OpenFolder(scope.Path);
        }

        (children, position, complete) = ([], 0, true);
        if (current is not null)
        {
            Collect(current, scope.Name, scope.Path, direct: true);
        }

        children.Sort(Order);
        Trim();
    }

    private void Collect(SafeFileHandle folder, string name, string path, bool direct)
    {
        foreach (var entry in SafeFiles.Entries(folder))
        {
            var (text, form) = BlobPath.Decode(entry.Name);
            var childPath = $"{path}/{entry.Name}";
            if (form == EntryForm.Continued && entry.IsFolder)
            {
                using var continued = files.OpenFolder(childPath);
                if (continued is not null)
                {
                    Collect(continued, name + text, childPath, direct: false);
                }

                continue;
            }

            var key = entry.IsFolder ? $"{name}{text}/" : name + text;
            if (form is not (EntryForm.Unknown or EntryForm.Continued) && Wanted(key, entry.IsFolder) && Canonical(key, childPath, entry.IsFolder, form))
            {
                children.Add(new(key, childPath, entry.Name, entry.IsFolder, direct, form == EntryForm.Beside));
            }

            if (children.Count >= batch * 2)
            {
                children.Sort(Order);
                Trim();
            }
        }
    }

    private void Trim()
    {
        if (children.Count > batch)
        {
            children.RemoveRange(batch, children.Count - batch);
            complete = false;
        }
    }

    private bool Wanted(string key, bool isFolder)
    {
        if (last is not null && NameOrder.Instance.Compare(key, last) <= 0)
        {
            return false;
        }

        if (!isFolder)
        {
            return key.StartsWith(scope.Prefix, StringComparison.Ordinal) && scope.After?.PassedBlob(key) != true;
        }

        return (key.StartsWith(scope.Prefix, StringComparison.Ordinal) || scope.Prefix.StartsWith(key, StringComparison.Ordinal))
            && scope.After?.PassedFolder(key) != true;
    }

    // A job may write names that look like the mapping's own; only what a blob of that name would use is that blob.
    private bool Canonical(string key, string path, bool isFolder, EntryForm form)
    {
        if (!path.Contains(BlobPath.Mark, StringComparison.Ordinal))
        {
            return true;
        }

        var relative = path.AsSpan(scope.Root.Length + 1);
        return isFolder
            ? form != EntryForm.Beside && relative.SequenceEqual(BlobPath.EncodeFolder(key))
            : relative.SequenceEqual(form == EntryForm.Beside ? BlobPath.EncodeBeside(key) : BlobPath.Encode(key));
    }
}
