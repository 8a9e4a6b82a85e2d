using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>The lock that a living launcher holds.</summary>
internal static class TaskLock
{
    public static bool IsHeld(TaskFolder folder)
    {
        using var file = TryOpen(folder);
        return file is not null && !Native.TryLock(file);
    }

    /// <summary>The lock, taken for a launcher that inherits it; null when somebody has it.</summary>
    public static SafeFileHandle? TryTake(TaskFolder folder)
    {
        var file = Native.OpenOrMake(folder.Lock);
        if (file is not null && Native.TryLock(file))
        {
            return file;
        }

        file?.Dispose();
        return null;
    }

    /// <summary>Completes when nobody holds the lock. A thread of its own waits in the kernel; it costs nothing until then and ends with the server.</summary>
    public static Task ReleasedAsync(TaskFolder folder)
    {
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = new Thread(() =>
        {
            try
            {
                using var file = TryOpen(folder);
                if (file is not null)
                {
                    Native.WaitForLock(file);
                }

                released.SetResult();
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                released.SetException(e);
            }
        }, maxStackSize: 128 * 1024) { IsBackground = true, Name = "task lock" };
        waiting.Start();
        return released.Task;
    }

    // Not through File: whatever FileShare says, the runtime takes a shared lock of its own and fails while the launcher holds its.
    private static SafeFileHandle? TryOpen(TaskFolder folder) => Native.TryOpen(folder.Lock);
}
