namespace Zaffre.Gateway.Onnx;

/// <summary>
/// The models of one deployment as the table wants them: the generation that serves, and the one that is being loaded to take its place. The old
/// one answers until the new one is there. Thread safe.
/// </summary>
internal sealed class OnnxPool(OnnxLoader loader) : IDisposable
{
    private readonly Lock gate = new();
    private TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile OnnxServing? current;
    private OnnxRoute? wanted;

    public RunGate Runs { get; } = new();

    /// <summary>What serves now; null while nothing is loaded. For looking only.</summary>
    public OnnxServing? Current => current;

    /// <summary>Takes over a route of a new table; null when the deployment has none any more.</summary>
    public void Apply(OnnxRoute? route, int concurrency)
    {
        Runs.Limit = route is null ? 0 : concurrency * Math.Max(1, route.Instances);
        lock (gate)
        {
            if (wanted?.Folder == route?.Folder)
            {
                return;
            }

            wanted = route;
            if (route is null)
            {
                Swap(null);
            }
            else if (loader.Take(route) is { } prepared)
            {
                Swap(prepared);
            }
            else
            {
                settled = current is null && settled.Task.IsCompleted ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : settled;
                loader.Begin(() => Load(route));
            }
        }
    }

    /// <summary>What serves, for the caller to release; waits for the first to be loaded. Null when there is none within the time.</summary>
    public async ValueTask<OnnxServing?> AcquireAsync(int milliseconds)
    {
        if (current is null)
        {
            Task loading;
            lock (gate)
            {
                loading = settled.Task;
            }

            await loading.WaitAsync(TimeSpan.FromMilliseconds(milliseconds)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // The one that was seen may have been retired just now; its successor is there then.
        while (current is { } serving)
        {
            if (serving.TryAcquire())
            {
                return serving;
            }
        }

        return null;
    }

    public void Dispose() => Apply(null, 0);

    private void Load(OnnxRoute route)
    {
        var loaded = loader.Load(route);
        lock (gate)
        {
            if (wanted?.Folder != route.Folder)
            {
                loaded?.Release();
            }
            else if (loaded is not null)
            {
                Swap(loaded);
            }
            else
            {
                settled.TrySetResult();
            }
        }
    }

    private void Swap(OnnxServing? next)
    {
        var old = current;
        current = next;
        settled.TrySetResult();
        old?.Release();
    }
}
