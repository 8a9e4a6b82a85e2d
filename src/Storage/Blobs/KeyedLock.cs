namespace Zaffre.Storage.Blobs;

/// <summary>One writer at a time per blob; unrelated blobs share a lock now and then. Never take two.</summary>
internal sealed class KeyedLock : IDisposable
{
    private readonly SemaphoreSlim[] stripes = [.. Enumerable.Range(0, 512).Select(_ => new SemaphoreSlim(1, 1))];

    public async Task<IDisposable> TakeAsync(BlobAddress key, CancellationToken ct)
    {
        var stripe = stripes[(uint)key.GetHashCode() % (uint)stripes.Length];
        await stripe.WaitAsync(ct);
        return new Taken(stripe);
    }

    public void Dispose()
    {
        foreach (var stripe in stripes)
        {
            stripe.Dispose();
        }
    }

    private sealed class Taken(SemaphoreSlim stripe) : IDisposable
    {
        public void Dispose() => stripe.Release();
    }
}
