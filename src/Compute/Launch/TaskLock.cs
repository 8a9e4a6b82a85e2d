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

    private static SafeFileHandle? TryOpen(TaskFolder folder)
    {
        try
        {
            // FileShare.ReadWrite keeps the runtime from taking a lock of its own.
            return File.OpenHandle(folder.Lock, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
