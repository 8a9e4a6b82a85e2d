namespace Zaffre.Gateway;

/// <summary>What became of the requests of one deployment since the gateway took it into its table, and how busy it is now.</summary>
public sealed record DeploymentCounters(string Endpoint, string Deployment)
{
    /// <summary>Upper bounds of the latency buckets in seconds; one more bucket holds what is above the last.</summary>
    public static IReadOnlyList<double> LatencyBounds { get; } = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    /// <summary>When counting began. Counters start anew with the gateway.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Answered with 2xx.</summary>
    public long Succeeded { get; init; }

    /// <summary>The model raised, or answered other than 2xx (424).</summary>
    public long ModelErrors { get; init; }

    /// <summary>The input did not fit the model (400, 415).</summary>
    public long Invalid { get; init; }

    /// <summary>Refused before it ran: overload (429) or a body over the limit (413).</summary>
    public long Rejected { get; init; }

    /// <summary>Ran over the request timeout (408).</summary>
    public long TimedOut { get; init; }

    /// <summary>No process, or it died (502, 503), or the caller left before the answer.</summary>
    public long Failed { get; init; }

    /// <summary>Requests by latency, from the first byte of the request to the last of the answer, without the rejected ones; one element for each bound and one more.</summary>
    public IReadOnlyList<long> Latency { get; init; } = [];

    /// <summary>The sum of these latencies in microseconds.</summary>
    public long LatencyMicros { get; init; }

    /// <summary>Requests that wait or run now.</summary>
    public int Pending { get; init; }

    /// <summary>Pending requests from which on others are refused.</summary>
    public int Places { get; init; }

    /// <summary>Requests that can run side by side now: connections to scoring processes that live.</summary>
    public int Connections { get; init; }

    /// <summary>All requests.</summary>
    public long Requests => Succeeded + ModelErrors + Invalid + Rejected + TimedOut + Failed;

    /// <summary>The latency in seconds below which the share <paramref name="quantile"/> of the requests lies, interpolated within its bucket; null without requests.
    /// Above the last bound the bound itself.</summary>
    public double? Percentile(double quantile)
    {
        var rank = quantile * Latency.Sum();
        if (rank <= 0)
        {
            return null;
        }

        var below = 0L;
        for (var i = 0; i < LatencyBounds.Count; i++)
        {
            if (below + Latency[i] >= rank)
            {
                var floor = i == 0 ? 0 : LatencyBounds[i - 1];
                return floor + ((LatencyBounds[i] - floor) * (rank - below) / Latency[i]);
            }

            below += Latency[i];
        }

        return LatencyBounds[^1];
    }
}
