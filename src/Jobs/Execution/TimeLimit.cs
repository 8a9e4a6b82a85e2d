using Zaffre.Compute;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// When a job's time is over. Counted by clocks that nobody sets: within a server by its own, across a restart by how long the kernel says the
/// task has lived; only where that is not known by the stored start, which a clock that was set back may put into the future.
/// </summary>
internal sealed class TimeLimit(TimeProvider time)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    /// <summary>Completes when a job that has run for <paramref name="age"/> has used up its time, or <paramref name="ct"/> is cancelled.</summary>
    public async Task OverAsync(TimeSpan? timeout, TimeSpan age, CancellationToken ct)
    {
        var begin = time.GetTimestamp();
        try
        {
            while (timeout is not { } limit || limit - age > time.GetElapsedTime(begin))
            {
                var left = timeout is { } known ? known - age - time.GetElapsedTime(begin) : LongestDelay;
                await Task.Delay(left < LongestDelay ? left : LongestDelay, time, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to end, or no longer of interest; the caller looks at both.
        }
    }

    /// <summary>
    /// How long a task has run: since its stored start, unless the kernel, which says how long its launcher has <paramref name="lived"/>, says that
    /// somebody has set the clock. A launcher may have waited for its task for a while.
    /// </summary>
    public TimeSpan AgeOf(TimeSpan? lived, DateTimeOffset? started)
    {
        var stored = time.GetUtcNow() - (started ?? time.GetUtcNow());
        var age = lived is { } most && (stored > most || stored < most - LongestWait) ? most : stored;
        return age > TimeSpan.Zero ? age : TimeSpan.Zero;
    }
}
