namespace Zaffre.Gateway.Workers;

/// <summary>How a scoring request ended, for the counters.</summary>
internal enum ScoringEnd
{
    Succeeded,
    ModelError,

    /// <summary>The input does not fit the model.</summary>
    Invalid,
    Rejected,
    TimedOut,
    Failed,
}

/// <summary>Counters of one deployment since <paramref name="since"/>. Thread safe.</summary>
internal sealed class PoolCounters(DateTimeOffset since)
{
    private static readonly long[] BoundsInMicros = [.. DeploymentCounters.LatencyBounds.Select(b => (long)(b * 1_000_000))];
    private readonly long[] ends = new long[6];
    private readonly long[] latency = new long[BoundsInMicros.Length + 1];
    private long micros;

    public void Add(ScoringEnd end, TimeSpan elapsed)
    {
        Interlocked.Increment(ref ends[(int)end]);
        if (end == ScoringEnd.Rejected)
        {
            return;
        }

        var took = (long)elapsed.TotalMicroseconds;
        var bucket = 0;
        while (bucket < BoundsInMicros.Length && took > BoundsInMicros[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref latency[bucket]);
        Interlocked.Add(ref micros, took);
    }

    public DeploymentCounters Read(string endpoint, string deployment)
    {
        long At(ScoringEnd end) => Volatile.Read(ref ends[(int)end]);
        return new DeploymentCounters(endpoint, deployment)
        {
            Since = since,
            Succeeded = At(ScoringEnd.Succeeded),
            ModelErrors = At(ScoringEnd.ModelError),
            Invalid = At(ScoringEnd.Invalid),
            Rejected = At(ScoringEnd.Rejected),
            TimedOut = At(ScoringEnd.TimedOut),
            Failed = At(ScoringEnd.Failed),
            Latency = [.. latency],
            LatencyMicros = Volatile.Read(ref micros),
        };
    }
}
