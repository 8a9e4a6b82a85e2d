using System.Collections.Concurrent;

namespace Zaffre.Tracking.Live;

/// <summary>Watches folders of logs: one watch for each folder, however many read. Thread safe.</summary>
internal sealed class LogFolders
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Watch> watches = new(StringComparer.Ordinal);

    /// <summary>
    /// Calls <paramref name="changed"/> when a file or folder directly in the folder is made, or a file grows, until the answer is disposed. Null when the folder cannot be watched:
    /// it is gone, or the system has no more watches to give.
    /// </summary>
    public IDisposable? Follow(string folder, Action changed)
    {
        lock (gate)
        {
            if (!watches.TryGetValue(folder, out var watch))
            {
                try
                {
                    watch = watches[folder] = new Watch(folder);
                }
                catch (Exception exception) when (exception is IOException or ArgumentException)
                {
                    return null;
                }
            }

            return watch.Add(changed, () => Leave(folder, watch));
        }
    }

    private void Leave(string folder, Watch watch)
    {
        lock (gate)
        {
            if (watch.IsIdle)
            {
                watches.Remove(folder);
                watch.Dispose();
            }
        }
    }

    private sealed class Watch : IDisposable
    {
        private readonly ConcurrentDictionary<Follower, Action> followers = new();
        private readonly FileSystemWatcher watcher;

        public Watch(string folder)
        {
            watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.FileName | NotifyFilters.DirectoryName };
            watcher.Changed += (_, _) => Tell();
            watcher.Created += (_, _) => Tell();
            watcher.Renamed += (_, _) => Tell();
            watcher.Error += (_, _) => Tell();
            watcher.EnableRaisingEvents = true;
        }

        public bool IsIdle => followers.IsEmpty;

        public Follower Add(Action changed, Action left)
        {
            var follower = new Follower(this, left);
            followers[follower] = changed;
            return follower;
        }

        public void Remove(Follower follower) => followers.TryRemove(follower, out _);

        public void Dispose() => watcher.Dispose();

        private void Tell()
        {
            foreach (var changed in followers.Values)
            {
                changed();
            }
        }
    }

    private sealed class Follower(Watch watch, Action left) : IDisposable
    {
        public void Dispose()
        {
            watch.Remove(this);
            left();
        }
    }
}
