using Zaffre.Tracking.Data;

namespace Zaffre.Tests.Unit.Tracking;

public sealed class MetricStoreTests : IDisposable
{
    private readonly TrackingFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData(0.5)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(double.Epsilon)]
    [InlineData(double.MaxValue)]
    public async Task A_point_logged_twice_is_one_point(double value)
    {
        await fixture.CreateAsync("r");
        await LogAsync(new("m", value, 10, 1), new("m", value, 10, 1));
        await LogAsync(new MetricPoint("m", value, 10, 1));
        var point = Assert.Single(await HistoryAsync());
        Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(point.Real));
        Assert.Equal(value, Assert.Single(await LatestAsync()).Real);
    }

    [Fact]
    public async Task The_latest_value_is_the_greatest_by_step_then_time_whatever_the_order_of_arrival()
    {
        await fixture.CreateAsync("r");
        await LogAsync(new MetricPoint("m", 3, 30, 2));
        await LogAsync(new("m", 1, 99, 1), new("m", 2, 20, 2));
        Assert.Equal(3, Assert.Single(await LatestAsync()).Real);
        await LogAsync(new("m", double.NaN, 30, 2), new("m", 7, 30, 2));
        Assert.Equal(double.NaN, Assert.Single(await LatestAsync()).Real);
        await LogAsync(new MetricPoint("m", -1, 0, 3));
        Assert.Equal(-1, Assert.Single(await LatestAsync()).Real);
    }

    [Fact]
    public async Task The_history_is_ordered_by_time_step_and_value_and_pages_without_gaps()
    {
        await fixture.CreateAsync("r");
        var random = new Random(1);
        var points = Enumerable.Range(0, 500).Select(_ => new MetricPoint("m", random.Next(4) switch { 0 => double.NaN, 1 => double.NegativeInfinity, var v => v }, random.Next(20), random.Next(20))).ToArray();
        await LogAsync(points);
        var expected = points.Distinct().OrderBy(p => p.Time).ThenBy(p => p.Step).ThenBy(p => double.IsNaN(p.Value) ? 1 : 0).ThenBy(p => p.Value).Select(p => (p.Time, p.Step, p.Value)).ToList();

        var read = new List<MetricRow>();
        IReadOnlyList<MetricRow> page;
        while ((page = await HistoryAsync(read.LastOrDefault(), 37)).Count > 0)
        {
            read.AddRange(page);
        }

        Assert.Equal(expected, read.Select(p => (p.Time, p.Step, p.Real)));
    }

    [Fact]
    public async Task A_param_is_written_once_and_again_only_with_the_same_value()
    {
        await fixture.CreateAsync("r");
        var run = await fixture.RowAsync("r");
        Assert.Null(await fixture.Database.WriteAsync(scope => RunData.LogParams(scope, run, [("a", "1"), ("a", "1"), ("b", "")]), default));
        Assert.Equal(new ParamChange("a", "1", "2"), await fixture.Database.WriteAsync(scope => RunData.LogParams(scope, run, [("b", ""), ("a", "2")]), default));
    }

    private async Task LogAsync(params MetricPoint[] points)
    {
        var run = await fixture.RowAsync("r");
        await fixture.Database.WriteAsync(
            scope =>
            {
                fixture.Metrics.Log(scope, run, points);
                return true;
            },
            default);
    }

    private async Task<IReadOnlyList<MetricRow>> HistoryAsync(MetricRow? after = null, int limit = 1000)
    {
        var run = await fixture.RowAsync("r");
        return await fixture.Database.ReadAsync(connection => MetricStore.History(connection, run.Key, "m", after, limit), default);
    }

    private async Task<IReadOnlyList<MetricRow>> LatestAsync()
    {
        var run = await fixture.RowAsync("r");
        return await fixture.Database.ReadAsync(connection => MetricStore.Latest(connection, [run.Key])[run.Key].ToList(), default);
    }
}
