using System.Data.Common;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>How far a metric of a run reaches. Least and greatest are null when every value is NaN.</summary>
internal sealed record MetricExtent(double? Least, double? Greatest, bool HasNan)
{
    /// <summary>How many distinct steps it has; null when nobody counted.</summary>
    public long? Steps { get; init; }

    /// <summary>There may be more steps than were counted.</summary>
    public bool MoreSteps { get; init; }
}

/// <summary>Least and greatest values of metrics, of long ones from their short form, and how many steps they have, counted up to a bound.</summary>
internal static class MetricExtents
{
    /// <summary>How many points are looked at for counting steps, of all series together.</summary>
    private const int MostCounted = 1_000_000;

    private const int MostSeries = 20_000;

    public static IReadOnlyDictionary<(long Run, string Name), MetricExtent> Read(DbConnection connection, IReadOnlyList<long> runs)
    {
        var all = runs.SelectMany(run => Series(connection, run)).ToList();
        var most = all.Count is 0 or > MostSeries ? 0 : Math.Max(MetricBuckets.Short, MostCounted / all.Count);
        return all.ToDictionary(one => (one.Key.Run, one.Name), one => Count(connection, one.Key, Extent(connection, one.Key, one.Points), most));
    }

    private static List<(SeriesKey Key, string Name, long? Points)> Series(DbConnection connection, long run)
    {
        var found = new List<(SeriesKey, string, long?)>();
        var read = connection.Prepare("SELECT l.metric, n.name, l.points FROM run_latest l CROSS JOIN metric_names n ON n.key = l.metric WHERE l.run = ?1").Bind(1, run);
        while (read.Read())
        {
            found.Add((new SeriesKey(run, read.Long(0)), read.Text(1), read.LongOrNull(2)));
        }

        return found;
    }

    private static MetricExtent Extent(DbConnection connection, SeriesKey series, long? points)
    {
        var read = points <= MetricBuckets.Short
            ? connection.Prepare("SELECT min(CASE nan WHEN 0 THEN value END), max(CASE nan WHEN 0 THEN value END), sum(nan) FROM run_metrics WHERE run = ?1 AND metric = ?2")
            : connection.Prepare("SELECT min(low), max(high), count(nan_step) FROM run_metric_buckets WHERE run = ?1 AND metric = ?2 AND level = ?3").Bind(3, MetricBuckets.Levels[points <= MetricBuckets.MostRead ? 0 : ^1]);
        read.Bind(1, series.Run).Bind(2, series.Metric).Read();
        var extent = new MetricExtent(read.IsNull(0) ? null : read.Double(0), read.IsNull(1) ? null : read.Double(1), read.Long(2) > 0);
        read.Reset();
        return extent;
    }

    private static MetricExtent Count(DbConnection connection, SeriesKey series, MetricExtent extent, int most)
    {
        if (most == 0)
        {
            return extent;
        }

        var read = connection.Prepare("SELECT count(*), count(DISTINCT step) FROM (SELECT step FROM run_metrics WHERE run = ?1 AND metric = ?2 LIMIT ?3)").Bind(1, series.Run).Bind(2, series.Metric).Bind(3, most);
        read.Read();
        var counted = extent with { Steps = read.Long(1), MoreSteps = read.Long(0) == most };
        read.Reset();
        return counted;
    }
}
