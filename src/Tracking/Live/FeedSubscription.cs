using System.Threading.Channels;

namespace Zaffre.Tracking.Live;

/// <summary>
/// What is new for one reader, up to a bound: beyond it everything is dropped, and the reader goes on from the store. Thread safe; one reader takes.
/// </summary>
internal sealed class FeedSubscription(Action<FeedSubscription> leave) : IDisposable
{
    private const int MostUnits = 512;
    private const int MostWeight = 20_000;

    private readonly Lock gate = new();
    private readonly Queue<FeedUnit> units = [];
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int weight;
    private bool behind = true;
    private bool doubtful;

    /// <summary>A unit about the subject is committed.</summary>
    public void Offer(FeedUnit unit)
    {
        lock (gate)
        {
            if (!behind)
            {
                units.Enqueue(unit);
                weight += unit.Weight;
                behind = units.Count > MostUnits || weight > MostWeight;
                Clear(behind);
            }
        }

        Wake();
    }

    /// <summary>The subject may be gone.</summary>
    public void Doubt()
    {
        lock (gate)
        {
            doubtful = true;
        }

        Wake();
    }

    public void Wake() => wake.Writer.TryWrite(true);

    /// <summary>True when the reader has to read the store first (as at the beginning). What is committed from now on is queued.</summary>
    public bool TakeBehind()
    {
        lock (gate)
        {
            var was = behind;
            behind = false;
            return was;
        }
    }

    /// <summary>True when it has to be asked whether the subject still exists.</summary>
    public bool TakeDoubt()
    {
        lock (gate)
        {
            var was = doubtful;
            doubtful = false;
            return was;
        }
    }

    /// <summary>What was queued; less than all when the reader has fallen behind meanwhile, which <see cref="TakeBehind"/> says.</summary>
    public IReadOnlyList<FeedUnit> Take()
    {
        lock (gate)
        {
            FeedUnit[] all = [.. units];
            Clear(true);
            return all;
        }
    }

    /// <summary>Waits for something new, at most so long; false when nothing came.</summary>
    public async Task<bool> WaitAsync(TimeSpan most, TimeProvider time, CancellationToken ct)
    {
        using var alarm = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, alarm.Token);
        try
        {
            return await wake.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => leave(this);

    private void Clear(bool really)
    {
        if (really)
        {
            units.Clear();
            weight = 0;
        }
    }
}
