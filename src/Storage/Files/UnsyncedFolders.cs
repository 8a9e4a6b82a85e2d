using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Storage.Files;

/// <summary>
/// Folders with new entries on which nothing durable depends yet, by path below <paramref name="root"/>: making a folder for a task waits for no disk, and the first durable
/// file below it brings the folders along. Thread safe.
/// </summary>
internal sealed class UnsyncedFolders(SafeFileHandle root)
{
    private const int Most = 4096;

    // The number tells one addition from the next.
    private readonly ConcurrentDictionary<string, long> folders = new(StringComparer.Ordinal);

    // Beside the start, and before anything is called durable: what an earlier process made and had not synced.
    private readonly Task settled = Task.Run(() => Native.SyncAll(root));

    private long additions;

    /// <summary>The folder has a new entry.</summary>
    public void Add(string folder)
    {
        folders[folder] = Interlocked.Increment(ref additions);
        if (folders.Count > Most)
        {
            var known = folders.ToArray();
            SafeFiles.Check(Native.SyncAll(root), "the storage");
            foreach (var one in known)
            {
                folders.TryRemove(one);
            }
        }
    }

    /// <summary>Calls <paramref name="sync"/> for every folder that leads to <paramref name="path"/> and has new entries.</summary>
    public void SyncAbove(string path, Action<string> sync)
    {
        settled.Wait();
        for (var slash = path.LastIndexOf('/'); path.Length > 0 && !folders.IsEmpty; slash = path.LastIndexOf('/'))
        {
            path = slash < 0 ? "" : path[..slash];
            if (folders.TryGetValue(path, out var addition))
            {
                // Forgotten only when it is done: whoever comes meanwhile syncs too.
                sync(path);
                folders.TryRemove(new KeyValuePair<string, long>(path, addition));
            }
        }
    }
}
