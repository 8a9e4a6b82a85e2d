using Zaffre.Gateway;

namespace Zaffre.Tests.Unit.Gateway;

public sealed class DeploymentCountersTests
{
    private static DeploymentCounters Of(params (int Bucket, long Count)[] filled)
    {
        var latency = new long[DeploymentCounters.LatencyBounds.Count + 1];
        foreach (var (bucket, count) in filled)
        {
            latency[bucket] = count;
        }

        return new DeploymentCounters("iris", "blue") { Latency = latency };
    }

    [Fact]
    public void Percentiles_are_interpolated_within_their_bucket()
    {
        var half = Of((0, 50), (4, 50));
        Assert.Equal(0.0005, half.Percentile(0.5));
        Assert.Equal(0.0075, half.Percentile(0.75)!.Value, 9);
        Assert.Equal(0.01, half.Percentile(1)!.Value, 9);
    }

    [Fact]
    public void Without_requests_there_is_no_percentile_and_above_the_last_bound_it_is_the_bound()
    {
        Assert.Null(Of().Percentile(0.5));
        Assert.Equal(30, Of((DeploymentCounters.LatencyBounds.Count, 1)).Percentile(0.99));
    }
}
