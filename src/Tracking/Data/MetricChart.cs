using System.Data.Common;
using Zaffre.Database;

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

    private const string Points = "SELECT time, step, nan, value FROM run_metrics WHERE run = ?1 AND metric = ?2 AND step BETWEEN ?3 AND ?4";

    public static ILookup<long, MetricRow> Read(DbConnection connection, IReadOnlyList<long> runs, string name, ChartRange range)
    {
        if (MetricStore.KeyOf(connection, name) is not { } metric)
        {
            return Enumerable.Empty<MetricRow>().ToLookup(point => point.Run);
        }

        var chart = new Chart(connection, name, range);
        var series = runs.Select(run => Open(chart, new SeriesKey(run, metric))).OfType<Series>().ToList();
        if (series.Sum(one => one.Buckets) > MostBuckets)
        {
            return series.SelectMany(one => InShort(chart, one)).ToLookup(point => point.Run);
        }

        var steps = Steps(chart, series);
        return series.SelectMany(one => Of(chart, one, steps)).ToLookup(point => point.Run);
    }

    private static Series? Open(Chart chart, SeriesKey key) => MetricBuckets.Has(chart.Connection, key) switch
    {
        null => null,
        true => new Series(key, null, MetricBuckets.Count(chart.Connection, key, chart.Range, MostBuckets + 1)),
        false => Few(key, [.. Rows(chart, key, chart.Connection.Prepare(Points + " ORDER BY step, time, nan, value"))]),
    };

    private static Series Few(SeriesKey key, IReadOnlyList<MetricRow> points) => new(key, points, points.Select(point => point.Step >> MetricBuckets.Levels[0]).Distinct().Count());

    private static List<long> Steps(Chart chart, IReadOnlyList<Series> series)
    {
        var (steps, top) = (series.SelectMany(one => Steps(chart, one)).Distinct().Order().ToList(), chart.Range.Top);
        return steps.Count <= top ? steps : [.. Enumerable.Range(0, top).Select(i => steps[(int)((long)i * steps.Count / top)]), steps[^1]];
    }

    private static IEnumerable<long> Steps(Chart chart, Series series)
    {
        if (series.Few is { } few)
        {
            return few.Select(point => point.Step);
        }

        var read = chart.Connection.Prepare("SELECT DISTINCT step FROM run_metrics WHERE run = ?1 AND metric = ?2 AND step BETWEEN ?3 AND ?4 AND time BETWEEN ?5 AND ?6");
        return MetricBuckets.Times(chart.Connection, series.Key, chart.Range) is { } times ? Read(chart, series.Key, read.Bind(5, times.First).Bind(6, times.Last), row => row.Long(0)) : [];
    }

    private static IEnumerable<MetricRow> Of(Chart chart, Series series, IReadOnlyList<long> steps)
    {
        if (series.Few is { } points)
        {
            HashSet<long> shown = points.Count == 0 ? [] : [.. steps, points[0].Step, points[^1].Step];
            return points.Where(point => shown.Contains(point.Step));
        }

        if (Steps(chart, series).ToList() is not { Count: > 0 } own)
        {
            return [];
        }

        // Of steps that have thousands of points each not all can be shown.
        var read = chart.Connection.Prepare(Points + " AND step IN (SELECT value FROM json_each(?5)) AND time BETWEEN ?6 AND ?7 ORDER BY step, time, nan, value LIMIT ?8");
        var times = MetricBuckets.Times(chart.Connection, series.Key, chart.Range)!.Value;
        return Rows(chart, series.Key, read.Bind(5, Keys.Json(steps.Append(own.Min()).Append(own.Max()).Distinct())).Bind(6, times.First).Bind(7, times.Last).Bind(8, MostPointsOfRun));
    }

    /// <summary>
    /// About <see cref="ChartRange.Top"/> points of a run in the range, in the order of their steps: of each of equally long parts the least and the greatest, and the first NaN.
    /// </summary>
    private static IEnumerable<MetricRow> InShort(Chart chart, Series series)
    {
        var buckets = series.Few is { } few
            ? MetricBucket.Over(few.Select(point => new MetricPoint(chart.Name, point.Real, point.Time, point.Step)), MetricBuckets.Levels[0])
            : MetricBuckets.Read(chart.Connection, series.Key, chart.Name, chart.Range);
        var points = Extremes(buckets, chart.Range).Select(point => new MetricRow(series.Key.Run, chart.Name, point.Time, point.Step, point.Nan, point.Stored));
        return points.Prepend(End(chart, series, last: false)).Append(End(chart, series, last: true)).OfType<MetricRow>().Distinct();
    }

    // Of the first and the last step no peak tells.
    private static MetricRow? End(Chart chart, Series series, bool last)
    {
        if (series.Few is { } few)
        {
            return few.Count == 0 ? null : last ? few.First(point => point.Step == few[^1].Step) : few[0];
        }

        return MetricBuckets.EndTimes(chart.Connection, series.Key, chart.Range, last) is { } times
            ? Rows(
                chart,
                series.Key,
                chart.Connection.Prepare(Points + $" AND time BETWEEN ?5 AND ?6 ORDER BY step{(last ? " DESC" : "")}, time LIMIT 1").Bind(5, times.First).Bind(6, times.Last)).FirstOrDefault()
            : null;
    }

    private static IEnumerable<MetricPoint> Extremes(IReadOnlyList<MetricBucket> buckets, ChartRange range)
    {
        if (buckets.Count == 0)
        {
            return [];
        }

        var (first, length) = (buckets[0].Number, buckets[^1].Number - buckets[0].Number + 1);
        var parts = Math.Max(1, range.Top / 2);
        return buckets
            .GroupBy(bucket => (long)((Int128)(bucket.Number - first) * parts / length))
            .SelectMany(part =>
            {
                var all = new MetricBucket(part.Key);
                foreach (var bucket in part)
                {
                    all.Add(bucket);
                }

                return new[] { all.Low, all.High, all.Gap };
            })
            .OfType<MetricPoint>()
            .Where(point => point.Step >= range.From && point.Step <= range.To)
            .Distinct()
            .OrderBy(point => point.Step).ThenBy(point => point.Time);
    }

    private static List<MetricRow> Rows(Chart chart, SeriesKey key, Statement read) =>
        Read(chart, key, read, row => new MetricRow(key.Run, chart.Name, row.Long(0), row.Long(1), row.Long(2), row.Double(3)));

    private static List<T> Read<T>(Chart chart, SeriesKey key, Statement read, Func<Statement, T> row)
    {
        var rows = new List<T>();
        read.Bind(1, key.Run).Bind(2, key.Metric).Bind(3, chart.Range.From).Bind(4, chart.Range.To);
        while (read.Read())
        {
            rows.Add(row(read));
        }

        return rows;
    }

    private sealed record Chart(DbConnection Connection, string Name, ChartRange Range);

    /// <summary>The series of one run; <paramref name="Few"/> are its points of the range in order when they are few, <paramref name="Buckets"/> how many buckets of the lowest level these fill.</summary>
    private sealed record Series(SeriesKey Key, IReadOnlyList<MetricRow>? Few, int Buckets);
}
