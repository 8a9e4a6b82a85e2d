using System.Collections.Concurrent;
using Zaffre.Compute;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>Somebody asks for the end of an attempt. Thread safe.</summary>
internal sealed class StopRequest : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int reason = -1;

    /// <summary>Completes when the job is given back.</summary>
    public Task Released => released.Task;

    /// <summary>Cancelled once an end is asked for.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>The first reason given.</summary>
    public StopReason? Reason => reason < 0 ? null : (StopReason)reason;

    /// <summary>What <see cref="Reason"/> leaves open, in words; null when it leaves nothing open.</summary>
    public string? Told { get; private set; }

    public void Ask(StopReason why, string? told = null)
    {
        if (Interlocked.CompareExchange(ref reason, (int)why, -1) < 0)
        {
            Told = told;
            source.Cancel();
        }
    }

    public void Release() => released.TrySetResult();

    public void Dispose() => source.Dispose();
}

/// <summary>Which jobs somebody of this server works on: an attempt, or a cancellation. At most one at a time. Thread safe.</summary>
internal sealed class Claims
{
    private readonly ConcurrentDictionary<string, StopRequest> held = new(StringComparer.Ordinal);

    /// <summary>Takes the job; null when somebody else has it. Dispose gives it back.</summary>
    public Claim? TryTake(ArmId job)
    {
        var stop = new StopRequest();
        if (held.TryAdd(job.Key, stop))
        {
            return new Claim(this, job, stop);
        }

        stop.Dispose();
        return null;
    }

    /// <summary>Takes the job, after whoever has it has given it back.</summary>
    public async Task<Claim> TakeAsync(ArmId job, CancellationToken ct)
    {
        while (true)
        {
            if (TryTake(job) is { } claim)
            {
                return claim;
            }

            if (held.TryGetValue(job.Key, out var other))
            {
                await other.Released.WaitAsync(ct);
            }
        }
    }

    /// <summary>Whether somebody works on the job with this key.</summary>
    public bool IsTaken(string job) => held.ContainsKey(job);

    /// <summary>Asks whoever works on the job to end it.</summary>
    public void AskStop(ArmId job, StopReason reason)
    {
        if (held.TryGetValue(job.Key, out var stop))
        {
            stop.Ask(reason);
        }
    }

    /// <summary>Asks whoever works on a job at or below the scope to end it.</summary>
    public void AskStopBelow(ArmId scope, StopReason reason)
    {
        foreach (var (key, stop) in held)
        {
            if (key == scope.Key || key.StartsWith(scope.Key + "/", StringComparison.Ordinal))
            {
                stop.Ask(reason);
            }
        }
    }

    internal sealed class Claim(Claims claims, ArmId job, StopRequest stop) : IDisposable
    {
        public StopRequest Stop => stop;

        public void Dispose()
        {
            claims.held.TryRemove(new KeyValuePair<string, StopRequest>(job.Key, stop));
            stop.Release();
        }
    }
}
