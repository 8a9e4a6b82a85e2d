using System.Threading.Channels;

namespace Zaffre.Storage.Files;

/// <summary>Runs fsync on threads of its own, so that waiting for the disk takes no thread from requests.</summary>
internal sealed class DiskSync : IDisposable
{
    private const int Threads = 8;
    private readonly Channel<(Action Sync, TaskCompletionSource Done)> queue = Channel.CreateUnbounded<(Action, TaskCompletionSource)>();
    private int started;

    /// <summary>Completes when <paramref name="sync"/> has run; its exception is the task's.</summary>
    public Task RunAsync(Action sync)
    {
        if (Volatile.Read(ref started) < Threads && Interlocked.Increment(ref started) <= Threads)
        {
            new Thread(Work) { IsBackground = true, Name = "disk-sync" }.Start();
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!queue.Writer.TryWrite((sync, done)))
        {
            done.SetException(new ObjectDisposedException(nameof(DiskSync)));
        }

        return done.Task;
    }

    public void Dispose() => queue.Writer.TryComplete();

    private void Work()
    {
        // A dedicated thread: blocking here is its purpose.
        while (queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (queue.Reader.TryRead(out var work))
            {
                try
                {
                    work.Sync();
                    work.Done.SetResult();
                }
                catch (Exception error)
                {
                    work.Done.SetException(error);
                }
            }
        }
    }
}
