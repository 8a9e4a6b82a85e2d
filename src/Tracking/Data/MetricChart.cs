using System.Data.Common;
using Dapper;

namespace Zaffre.Tracking.Data;

/// <summary>Steps from <paramref name="From"/> to <paramref name="To"/>, at most <paramref name="Top"/> of them.</summary>
internal sealed record ChartRange(long From, long To, int Top);

/// <summary>
/// The points of a chart. Of the distinct steps of all its runs every n-th is taken, and the last, so that lines are compared at
/// the same steps; besides, the first and last step of each run in the range. Where that would read more than some ten thousand steps, every
/// run shows the least and the greatest values of equally long parts instead.
/// </summary>
internal static class MetricChart
{
    private const int MostPointsOfRun = 25_000;

    private const int MostBuckets = 160;

    private const string InRange = "metric = @metric AND step BETWEEN @From AND @To";

    public static ILookup<long, MetricRow> Read(DbConnection connection, IReadOnlyList<long> runs, string name, ChartRange range)
    {
        if (connection.QueryFirstOrDefault<long?>("SELECT key FROM metric_names WHERE name = @name", new { name }) is not { } metric)
        {
            return Enumerable.Empty<MetricRow>().ToLookup(point => point.Run);
        }

        if (MetricBuckets.Count(connection, runs, metric, range, MostBuckets + 1) > MostBuckets)
        {
            return runs.SelectMany(run => InShort(connection, new Series(run, metric, name), range)).ToLookup(point => point.Run);
        }

        var times = runs.Select(run => (Run: run, Times: MetricBuckets.Times(connection, run, metric, range))).Where(run => run.Times is not null).ToDictionary(run => run.Run, run => run.Times!.Value);
        var steps = Steps(connection, times, metric, range);
        return times.SelectMany(run => Points(connection, new Series(run.Key, metric, name), steps, run.Value, range)).ToLookup(point => point.Run);
    }

    // Of the first and the last step no peak tells.
    private static IEnumerable<MetricRow> InShort(DbConnection connection, Series series, ChartRange range)
    {
        MetricRow? End(bool last) => MetricBuckets.EndTimes(connection, series.Run, series.Metric, range, last) is { } times
            ? connection.Query<(long Time, long Step, long Nan, double Value)>(
                    $"SELECT time, step, nan, value FROM run_metrics WHERE run = @run AND {InRange} AND time BETWEEN @First AND @Last ORDER BY step{(last ? " DESC" : "")}, time LIMIT 1",
                    new { run = series.Run, metric = series.Metric, range.From, range.To, times.First, times.Last })
                .Select(point => new MetricRow(series.Run, series.Name, point.Time, point.Step, point.Nan, point.Value)).FirstOrDefault()
            : null;

        return MetricBuckets.Read(connection, series.Run, series.Name, series.Metric, range)
            .Select(point => new MetricRow(series.Run, series.Name, point.Time, point.Step, double.IsNaN(point.Value) ? 1 : 0, double.IsNaN(point.Value) ? 0 : point.Value))
            .Prepend(End(last: false)).Append(End(last: true)).OfType<MetricRow>().Distinct();
    }

    private static List<long> Steps(DbConnection connection, IReadOnlyDictionary<long, (long First, long Last)> runs, long metric, ChartRange range)
    {
        var steps = runs.SelectMany(run => connection.Query<long>(
                $"SELECT DISTINCT step FROM run_metrics WHERE run = @run AND {InRange} AND time BETWEEN @First AND @Last",
                new { run = run.Key, metric, range.From, range.To, run.Value.First, run.Value.Last }))
            .Distinct().Order().ToList();
        return steps.Count <= range.Top ? steps : [.. Enumerable.Range(0, range.Top).Select(i => steps[(int)((long)i * steps.Count / range.Top)]), steps[^1]];
    }

    private static IEnumerable<MetricRow> Points(DbConnection connection, Series series, IEnumerable<long> steps, (long First, long Last) times, ChartRange range)
    {
        const string Of = $"FROM run_metrics WHERE run = @run AND {InRange} AND time BETWEEN @First AND @Last";
        var ends = connection.QueryFirst<(long? First, long? Last)>($"SELECT min(step), max(step) {Of}", new { run = series.Run, metric = series.Metric, range.From, range.To, times.First, times.Last });
        if (ends is not ({ } first, { } last))
        {
            return [];
        }

        return connection.Query<(long Time, long Step, long Nan, double Value)>(
                $"SELECT time, step, nan, value {Of} AND step IN (SELECT value FROM json_each(@steps)) ORDER BY step, time, nan, value LIMIT @MostPointsOfRun",
                new { run = series.Run, metric = series.Metric, MostPointsOfRun, range.From, range.To, times.First, times.Last, steps = Keys.Json(steps.Append(first).Append(last).Distinct()) })
            .Select(point => new MetricRow(series.Run, series.Name, point.Time, point.Step, point.Nan, point.Value));
    }

    private sealed record Series(long Run, long Metric, string Name);
}
