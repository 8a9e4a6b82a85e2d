using System.ComponentModel;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>
/// Folders of tasks that are over. They are out of the way at once and deleted together, behind everything else, when none came for a moment: files that come and go
/// beside each other cost a file system several times as much. What an earlier server left is deleted with them. Thread safe.
/// </summary>
internal sealed class TaskTrash(DataDirectory data, TimeProvider time, ILogger<TaskTrash> logger)
{
    private const int Lowest = 19;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // Whatever comes, nothing lies here much longer.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    // With less room than this nothing waits here.
    private const long Room = 10L << 30;

    private readonly Lock gate = new();
    private readonly DriveInfo disk = new(data.Root);
    private readonly FileTree files = new(data);
    private long taken;
    private bool emptying;

    /// <summary>Takes a folder; false when it cannot be moved here, or its room is wanted at once.</summary>
    public bool Take(TaskFolder folder)
    {
        if (disk.AvailableFreeSpace < Math.Min(Room, disk.TotalSize / 2))
        {
            return false;
        }

        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var at = data.Path("trash", Guid.NewGuid().ToString("N"));
        if (!Native.Move(folder.Path, at))
        {
            Directory.CreateDirectory(data.Path("trash"), ownerOnly);
            if (!Native.Move(folder.Path, at))
            {
                return false;
            }
        }

        lock (gate)
        {
            taken++;
            if (!emptying)
            {
                emptying = true;
                _ = EmptyAsync();
            }
        }

        return true;
    }

    private async Task EmptyAsync()
    {
        for (var seen = -1L; !IsDone(seen);)
        {
            seen = await QuietAsync().ConfigureAwait(false);
            var folders = Directory.GetDirectories(data.Path("trash"));
            await RemoveGroupsAsync(folders).ConfigureAwait(false);

            var emptied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

            // A thread that gives way to every other does not come back to the pool.
            new Thread(() =>
            {
                Native.GiveWay(Lowest);
                Delete(folders);
                emptied.SetResult();
            }, maxStackSize: 1024 * 1024) { IsBackground = true, Name = "task trash" }.Start();
            await emptied.Task.ConfigureAwait(false);
        }
    }

    private async Task RemoveGroupsAsync(string[] folders)
    {
        foreach (var folder in folders)
        {
            try
            {
                await ControlGroups.RemoveAsync(new TaskFolder(folder).ContainingAll("group")).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
            {
                // The next folders are not kept by it.
                ComputeLog.NotDeleted(logger, folder, e.Message);
            }
        }
    }

    /// <summary>Whether nothing came since <paramref name="seen"/>; then the next one begins anew.</summary>
    private bool IsDone(long seen)
    {
        lock (gate)
        {
            emptying = seen != taken;
            return !emptying;
        }
    }

    private async Task<long> QuietAsync()
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var before = Interlocked.Read(ref taken);
            await Task.Delay(Pause, time).ConfigureAwait(false);
            if (Interlocked.Read(ref taken) == before || time.GetElapsedTime(began) > Longest)
            {
                return Interlocked.Read(ref taken);
            }
        }
    }

    private void Delete(string[] folders)
    {
        foreach (var folder in folders)
        {
            try
            {
                files.Delete(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
            {
                ComputeLog.NotDeleted(logger, folder, e.Message);
            }
        }
    }
}
