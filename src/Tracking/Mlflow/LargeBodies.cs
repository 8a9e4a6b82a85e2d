namespace Zaffre.Tracking.Mlflow;

/// <summary>
/// Large bodies that are held in memory, of which a compressed one costs its sender next to nothing: few at a time, and each has to come to its end soon, so
/// that nobody keeps a place from the others. Thread safe.
/// </summary>
internal sealed class LargeBodies(TimeProvider time) : IDisposable
{
    /// <summary>Bodies up to this many bytes need no place.</summary>
    public const int Threshold = 4 * 1024 * 1024;

    public const int Places = 2;

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim places = new(Places);

    /// <summary>A body of which nothing has come yet. Disposing it gives its place back.</summary>
    public LargeBody Begin(CancellationToken ct) => new(places, time, ct);

    public void Dispose() => places.Dispose();
}

/// <summary>One body. Not thread safe.</summary>
internal sealed class LargeBody(SemaphoreSlim places, TimeProvider time, CancellationToken aborted) : IDisposable
{
    private readonly CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private ITimer? limit;
    private bool holds;

    /// <summary>Ends the reading of the body, when its sender is gone or too slow.</summary>
    public CancellationToken Token => patience.Token;

    /// <summary>True when the sender was too slow.</summary>
    public bool IsLate => patience.IsCancellationRequested && !aborted.IsCancellationRequested;

    /// <summary>Notes that so many bytes are in memory, and waits for a place when they are many.</summary>
    public async ValueTask HoldsAsync(long bytes)
    {
        if (bytes > LargeBodies.Threshold && !holds)
        {
            await places.WaitAsync(aborted);
            holds = true;
            limit = time.CreateTimer(_ => patience.Cancel(), null, LargeBodies.Patience, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The body is there: what is done with it may take as long as it does.</summary>
    public void Complete() => limit?.Dispose();

    public void Dispose()
    {
        limit?.Dispose();
        patience.Dispose();
        if (holds)
        {
            places.Release();
        }
    }
}
