namespace Zaffre.Gateway.Onnx;

/// <summary>Lets so many runs of a deployment go on side by side; the others wait, first in, first out. Thread safe.</summary>
internal sealed class RunGate
{
    private readonly Lock gate = new();
    private readonly Queue<TaskCompletionSource<bool>> waiting = new();
    private int limit;
    private int running;

    /// <summary>Changes how many; runs that are going on end normally.</summary>
    public int Limit
    {
        get => Volatile.Read(ref limit);
        set
        {
            lock (gate)
            {
                limit = value;
                Admit();
            }
        }
    }

    /// <summary>True when the caller may run and must <see cref="Leave"/>; false when it waited so long in vain.</summary>
    public ValueTask<bool> EnterAsync(int milliseconds)
    {
        TaskCompletionSource<bool> waiter;
        lock (gate)
        {
            if (running < limit && waiting.Count == 0)
            {
                running++;
                return new(true);
            }

            waiter = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue(waiter);
        }

        return new(WaitAsync(waiter, milliseconds));
    }

    public void Leave()
    {
        lock (gate)
        {
            running--;
            Admit();
        }
    }

    private void Admit()
    {
        while (running < limit && waiting.TryDequeue(out var waiter))
        {
            running += waiter.TrySetResult(true) ? 1 : 0;
        }
    }

    private static async Task<bool> WaitAsync(TaskCompletionSource<bool> waiter, int milliseconds)
    {
        using var over = new CancellationTokenSource(milliseconds);
        await using var alarm = over.Token.UnsafeRegister(static w => ((TaskCompletionSource<bool>)w!).TrySetResult(false), waiter);
        return await waiter.Task;
    }
}
