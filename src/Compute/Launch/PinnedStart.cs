namespace Zaffre.Compute.Launch;

/// <summary>
/// Starts a launcher in a mount namespace that a thread of this server prepared for it: three processes less than when the launcher
/// prepares it itself, and what is mounted is what was looked at, by handle.
/// </summary>
internal static class PinnedStart
{
    /// <summary>Runs <paramref name="start"/> on a thread in its own namespace; false, without having run it, when that cannot be made.</summary>
    public static Task<bool> TryAsync(TaskFolder folder, IReadOnlyList<(string Path, FileIdentity Identity, string At)> pinned, Action start)
    {
        var started = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        // The namespace belongs to the thread, which therefore must not be one of the pool; it ends with the thread and the launcher.
        var thread = new Thread(() =>
        {
            try
            {
                if (!Native.LeaveMounts() || !pinned.All(p => Native.Bind(p.Path, p.Identity, p.At)) || !Native.BindAll(folder.At("mnt"), HostSandbox.StagePath))
                {
                    started.SetResult(false);
                    return;
                }

                start();
                started.SetResult(true);
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or InvalidOperationException)
            {
                started.SetException(e);
            }
        }, maxStackSize: 512 * 1024) { IsBackground = true, Name = "task start" };
        thread.Start();
        return started.Task;
    }
}
