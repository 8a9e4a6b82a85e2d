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

/// <summary>Counters of one deployment since the gateway started. Thread safe.</summary>
internal sealed class PoolCounters
{
    private readonly long[] ends = new long[6];
    private long micros;

    public void Add(ScoringEnd end, TimeSpan elapsed)
    {
        Interlocked.Increment(ref ends[(int)end]);
        Interlocked.Add(ref micros, (long)elapsed.TotalMicroseconds);
    }

    public DeploymentCounters Read(string endpoint, string deployment, int pending)
    {
        long At(ScoringEnd end) => Volatile.Read(ref ends[(int)end]);
        return new DeploymentCounters(
            endpoint, deployment, ends.Sum(), At(ScoringEnd.Succeeded), At(ScoringEnd.ModelError), At(ScoringEnd.Invalid), At(ScoringEnd.Rejected),
            At(ScoringEnd.TimedOut), At(ScoringEnd.Failed), Volatile.Read(ref micros), pending);
    }
}
