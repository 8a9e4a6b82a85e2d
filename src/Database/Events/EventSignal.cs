namespace Zaffre.Database;

/// <summary>Tells waiting readers that events were committed. Thread safe.</summary>
internal sealed class EventSignal
{
    private readonly Lock gate = new();
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long head;

    public void Advance(long sequence)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            head = Math.Max(head, sequence);
            waiting = next;
            next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        waiting.TrySetResult();
    }

    public async Task<long> WaitAsync(long after, CancellationToken ct)
    {
        while (true)
        {
            Task wait;
            lock (gate)
            {
                if (head > after)
                {
                    return head;
                }

                wait = next.Task;
            }

            await wait.WaitAsync(ct);
        }
    }
}
