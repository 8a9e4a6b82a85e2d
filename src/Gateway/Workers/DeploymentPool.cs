using System.Diagnostics;
using Zaffre.Gateway.Onnx;

namespace Zaffre.Gateway.Workers;

/// <summary>Why there is no connection for a request.</summary>
internal enum RentEnd
{
    Rented,

    /// <summary>Too many requests are pending already.</summary>
    Rejected,

    /// <summary>The request waited its longest behind running ones.</summary>
    QueueTimeout,

    /// <summary>No scoring process lived within the request's time.</summary>
    NobodyLives,
}

/// <summary>
/// The ready connections of one deployment and the requests that wait for one, both first in, first out over all instances.
/// Lives as long as the deployment is in the table; limits and instances change under it.
/// </summary>
internal sealed class DeploymentPool(string endpoint, DeploymentRoute route, DateTimeOffset since, OnnxLoader? loader = null) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Queue<WorkerConnection> ready = new();
    private readonly Queue<TaskCompletionSource<WorkerConnection?>> waiting = new();
    private readonly Dictionary<string, WorkerLink> links = new(StringComparer.Ordinal);
    private volatile DeploymentRoute route = route;
    private volatile WorkerDescription? description;
    private readonly OnnxPool? models = loader is null ? null : new OnnxPool(loader);
    private int open;
    private int pending;

    public DeploymentRoute Route => route;

    /// <summary>The models that this process scores itself; null when instances score.</summary>
    public OnnxPool? Onnx => route.Onnx is null ? null : models;

    /// <summary>What the runtime of the newest connection says of itself; null before the first.</summary>
    public WorkerDescription? Description => Onnx is { } own ? own.Current?.Description : description;

    public PoolCounters Counters { get; } = new(since);

    /// <summary>Requests that wait or run.</summary>
    public int Pending => Volatile.Read(ref pending);

    /// <summary>Connections whose process is ready, idle or busy; for models of this process, how many of their runs may go on side by side.</summary>
    public int Open
    {
        get
        {
            if (Onnx is { } own)
            {
                return own.Current is null ? 0 : own.Runs.Limit;
            }

            lock (gate)
            {
                return open;
            }
        }
    }

    public DeploymentCounters Read() => Counters.Read(endpoint, route.Name) with { Pending = Pending, Places = Most, Connections = Open };

    /// <summary>Takes over limits and instances of a new table. Running requests of an instance that left end normally.</summary>
    public void Apply(DeploymentRoute next)
    {
        lock (gate)
        {
            route = next;
            models?.Apply(next.Onnx, next.MaxConcurrentPerInstance);
            foreach (var (id, link) in links.ToList())
            {
                if (!next.Workers.Any(w => w.Id == id && next.MaxConcurrentPerInstance == link.Slots))
                {
                    links.Remove(id);
                    link.Dispose();
                }
            }

            foreach (var worker in next.Workers)
            {
                if (!links.ContainsKey(worker.Id))
                {
                    links[worker.Id] = new WorkerLink(this, worker, next.MaxConcurrentPerInstance);
                }
            }
        }
    }

    /// <summary>No further request would be let in now.</summary>
    public bool IsFull => Pending >= Most;

    private int Most => 2 * route.MaxConcurrentPerInstance * Math.Max(1, route.Onnx?.Instances ?? route.Workers.Count);

    /// <summary>Counts a request in; false when it must be refused at once.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref pending) <= Most)
        {
            return true;
        }

        Interlocked.Decrement(ref pending);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref pending);

    /// <summary>A connection, acquired, or why there is none before <paramref name="deadline"/> (a <see cref="Stopwatch"/> timestamp).</summary>
    public ValueTask<(RentEnd End, WorkerConnection? Connection)> RentAsync(long deadline)
    {
        TaskCompletionSource<WorkerConnection?> waiter;
        lock (gate)
        {
            while (ready.TryDequeue(out var connection))
            {
                if (connection.TryAcquire())
                {
                    return new((RentEnd.Rented, connection));
                }
            }

            waiter = new TaskCompletionSource<WorkerConnection?>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue(waiter);
        }

        return new(WaitAsync(waiter, deadline));
    }

    /// <summary>A connection became free; the longest waiter gets it.</summary>
    public void Return(WorkerConnection connection)
    {
        lock (gate)
        {
            if (waiting.Count > 0)
            {
                if (!connection.TryAcquire())
                {
                    return;
                }

                while (waiting.TryDequeue(out var waiter))
                {
                    if (waiter.TrySetResult(connection))
                    {
                        return;
                    }
                }

                connection.Release();
            }

            ready.Enqueue(connection);
        }
    }

    public void Opened(WorkerConnection connection)
    {
        lock (gate)
        {
            description = connection.Description;
            open++;
        }

        Return(connection);
    }

    public void Closed()
    {
        lock (gate)
        {
            open--;
            for (var i = ready.Count; i > 0; i--)
            {
                var connection = ready.Dequeue();
                if (!connection.HasEnded)
                {
                    ready.Enqueue(connection);
                }
            }
        }
    }

    /// <summary>Asks the supervisor of the process to end it when its run does not.</summary>
    public void Recycle(WorkerConnection connection)
    {
        lock (gate)
        {
            foreach (var link in links.Values)
            {
                if (link.Folder == connection.Folder)
                {
                    link.Recycle(connection.ProcessId);
                }
            }
        }
    }

    public void Dispose()
    {
        models?.Dispose();
        lock (gate)
        {
            foreach (var link in links.Values)
            {
                link.Dispose();
            }

            links.Clear();
            while (waiting.TryDequeue(out var waiter))
            {
                waiter.TrySetResult(null);
            }
        }
    }

    private async Task<(RentEnd End, WorkerConnection? Connection)> WaitAsync(TaskCompletionSource<WorkerConnection?> waiter, long deadline)
    {
        var queued = Stopwatch.GetTimestamp();
        var wait = Math.Min(Left(deadline), Open > 0 ? route.MaxQueueWaitMs : int.MaxValue);
        while (true)
        {
            if (await Task.WhenAny(waiter.Task, Task.Delay(Math.Max(1, wait))) == waiter.Task)
            {
                return await waiter.Task is { } connection ? (RentEnd.Rented, connection) : (RentEnd.NobodyLives, null);
            }

            var lives = Open > 0;
            var left = Left(deadline);
            if (left > 0 && (!lives || Stopwatch.GetElapsedTime(queued).TotalMilliseconds < route.MaxQueueWaitMs))
            {
                wait = lives ? Math.Min(left, route.MaxQueueWaitMs) : left;
                continue;
            }

            if (waiter.TrySetResult(null))
            {
                return (lives ? RentEnd.QueueTimeout : RentEnd.NobodyLives, null);
            }

            wait = 1;
        }
    }

    private static int Left(long deadline) =>
        (int)Math.Clamp((deadline - Stopwatch.GetTimestamp()) / (Stopwatch.Frequency / 1000), 0, int.MaxValue);
}
