namespace Zaffre.Compute.Computes;

/// <summary>Places of one compute (or of the host), handed out first come first served. Thread safe.</summary>
internal sealed class Admission
{
    private readonly Lock gate = new();
    private readonly LinkedList<(int Places, TaskCompletionSource Granted)> waiting = new();
    private int taken;
    private int capacity;

    /// <summary>Places in use.</summary>
    public int Taken
    {
        get
        {
            lock (gate)
            {
                return taken;
            }
        }
    }

    /// <summary>Waits until <paramref name="places"/> of <paramref name="limit"/> are free.</summary>
    public async Task TakeAsync(int places, int limit, CancellationToken ct)
    {
        LinkedListNode<(int Places, TaskCompletionSource Granted)> entry;
        lock (gate)
        {
            capacity = limit;
            entry = waiting.AddLast((Math.Min(places, Math.Max(1, limit)), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
            Grant();
        }

        try
        {
            await entry.Value.Granted.Task.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            lock (gate)
            {
                if (entry.List is not null)
                {
                    waiting.Remove(entry);
                }
                else
                {
                    taken -= entry.Value.Places;
                }

                Grant();
            }

            throw;
        }
    }

    /// <summary>Takes places beyond the limit if need be.</summary>
    public void TakeNow(int places)
    {
        lock (gate)
        {
            taken += places;
        }
    }

    public void Give(int places)
    {
        lock (gate)
        {
            taken -= places;
            Grant();
        }
    }

    private void Grant()
    {
        while (waiting.First is { } next && (taken == 0 || taken + next.Value.Places <= capacity))
        {
            waiting.RemoveFirst();
            taken += next.Value.Places;
            next.Value.Granted.SetResult();
        }
    }
}
