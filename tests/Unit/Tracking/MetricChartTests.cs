using Dapper;
using Zaffre.Tracking.Data;

namespace Zaffre.Tests.Unit.Tracking;

/// <summary>Charts of series that are too long to be read whole.</summary>
public sealed class MetricChartTests : IDisposable
{
    private const int Steps = 60_000;

    private readonly TrackingFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_long_series_keeps_its_peaks_its_ends_and_its_gaps_whatever_the_order_in_which_it_came()
    {
        var (row, points) = await LongAsync();
        var chart = await ChartAsync(row.Key, new ChartRange(0, long.MaxValue, 320));

        Assert.InRange(chart.Count, 160, 2 * 320);
        Assert.Equal(chart.Select(point => point.Step).Order(), chart.Select(point => point.Step));
        var known = points.Select(point => (point.Step, point.Time, double.IsNaN(point.Value) ? 0 : point.Value, double.IsNaN(point.Value))).ToHashSet();
        Assert.All(chart, point => Assert.Contains((point.Step, point.Time, point.Value, point.Nan != 0), known));
        Assert.Equal((0, Steps - 1), (chart[0].Step, chart[^1].Step));
        for (var from = 0; from < Steps; from += 1000)
        {
            // The parts of the chart, of 375 steps, do not begin where this window does.
            var window = points.Where(point => point.Step >= from && point.Step < from + 1000 && !double.IsNaN(point.Value)).Select(point => point.Value).ToArray();
            var shown = chart.Where(point => point.Nan == 0 && point.Step >= from - 400 && point.Step < from + 1400).Select(point => point.Value).ToArray();
            Assert.InRange(shown.Max(), window.Max(), double.MaxValue);
            Assert.InRange(shown.Min(), double.MinValue, window.Min());
        }

        Assert.Contains(chart, point => point.Nan != 0);
    }

    [Fact]
    public async Task A_part_of_a_long_series_shows_every_step_when_it_has_few()
    {
        var (row, points) = await LongAsync();
        var chart = await ChartAsync(row.Key, new ChartRange(40_000, 40_299, 320));
        Assert.Equal(
            points.Where(point => point.Step is >= 40_000 and < 40_300).Select(point => (point.Step, point.Time)).Distinct().Order(),
            chart.Select(point => (point.Step, point.Time)));
        Assert.Empty(await ChartAsync(row.Key, new ChartRange(Steps, Steps + 5, 320)));
        Assert.All(await ChartAsync(row.Key, new ChartRange(100, 30_000, 320)), point => Assert.InRange(point.Step, 100, 30_000));
    }

    [Fact]
    public async Task A_series_that_fills_too_many_buckets_of_a_level_is_read_from_the_next_one()
    {
        await fixture.CreateAsync("r");
        var row = await fixture.RowAsync("r");
        var points = Enumerable.Range(0, 12_000).Select(i => new MetricPoint("m", i == 7_777 ? 99 : Math.Sin(i), 1_700_000_000_000 + i, i * 64L)).ToArray();
        foreach (var part in points.Chunk(1000))
        {
            await fixture.Database.WriteAsync(
                scope =>
                {
                    fixture.Metrics.Log(scope, row, part);
                    return true;
                },
                default);
        }

        var chart = await ChartAsync(row.Key, new ChartRange(0, long.MaxValue, 320));
        Assert.InRange(chart.Count, 160, 2 * 320);
        Assert.Equal((0, 11_999 * 64L), (chart[0].Step, chart[^1].Step));
        Assert.Equal((99, 7_777 * 64L), chart.Select(point => (point.Value, point.Step)).MaxBy(point => point.Value));
        Assert.Equal(points.Min(point => point.Value), chart.Min(point => point.Value));
    }

    [Fact]
    public async Task Points_from_before_get_the_same_buckets_that_writing_gives()
    {
        await LongAsync();
        var written = await BucketsAsync();
        using var migration = new StreamReader(typeof(MetricStore).Assembly.GetManifestResourceStream(
            typeof(MetricStore).Assembly.GetManifestResourceNames().Single(name => name.EndsWith("/0008_metric_buckets", StringComparison.Ordinal)))!);
        var text = await migration.ReadToEndAsync();

        // A later migration added a column, which has a default.
        var insert = text[text.IndexOf("CREATE TEMP", StringComparison.Ordinal)..].Replace("INSERT INTO run_metric_buckets\n", "INSERT INTO run_metric_buckets SELECT *, 0 FROM (\n", StringComparison.Ordinal).Replace(";\nDROP", ");\nDROP", StringComparison.Ordinal);
        await fixture.Database.WriteAsync(scope => scope.Execute("DELETE FROM run_metric_buckets;" + insert, null), default);
        Assert.Equal(written, await BucketsAsync());
    }

    private async Task<(RunRow Row, List<MetricPoint> Points)> LongAsync()
    {
        await fixture.CreateAsync("r");
        var random = new Random(5);
        var points = Enumerable.Range(0, Steps)
            .Select(step => new MetricPoint("m", step % 977 == 5 ? double.NaN : (random.Next(1000) == 0 ? 50 : 1) * (random.NextDouble() - 0.5), 1_700_000_000_000 + (step * 10), step))
            .ToList();
        var shuffled = points.Chunk(700).ToArray();
        random.Shuffle(shuffled);
        var row = await fixture.RowAsync("r");
        foreach (var part in shuffled.Append(points[..100].ToArray()))
        {
            await fixture.Database.WriteAsync(
                scope =>
                {
                    fixture.Metrics.Log(scope, row, part);
                    return true;
                },
                default);
        }

        return (row, points);
    }

    private Task<List<MetricRow>> ChartAsync(long run, ChartRange range) =>
        fixture.Database.ReadAsync(connection => MetricChart.Read(connection, [run], "m", range)[run].ToList(), default);

    private Task<List<string>> BucketsAsync() => fixture.Database.ReadAsync(
        connection => connection.Query("SELECT * FROM run_metric_buckets ORDER BY run, metric, level, bucket")
            .Select(row => string.Join('|', ((IDictionary<string, object>)row).Where(column => column.Key != "arrived").Select(column => column.Value))).ToList(),
        default);
}
