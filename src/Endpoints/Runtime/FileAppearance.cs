namespace Zaffre.Endpoints.Runtime;

/// <summary>Waits for a file to appear in a folder, woken by the kernel.</summary>
internal static class FileAppearance
{
    /// <summary>The first of <paramref name="names"/> that is in <paramref name="folder"/>, now or later.</summary>
    public static async Task<string> WaitAsync(string folder, IReadOnlyList<string> names, CancellationToken ct)
    {
        var appeared = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(folder);
        void Look()
        {
            if (names.Any(name => Path.Exists(Path.Combine(folder, name))))
            {
                appeared.TrySetResult();
            }
        }

        watcher.Created += (_, _) => Look();
        watcher.Renamed += (_, _) => Look();
        watcher.Error += (_, _) => Look();
        watcher.EnableRaisingEvents = true;
        Look();
        await appeared.Task.WaitAsync(ct);
        return names.First(name => Path.Exists(Path.Combine(folder, name)));
    }
}
