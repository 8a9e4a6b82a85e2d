using System.Data.Common;
using System.Runtime.InteropServices;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>One metric of one run.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SeriesKey(long Run, long Metric);

/// <summary>
/// Series in short, for charts: of each 64, 4,096 and 262,144 steps the least and the greatest value, written with the points. A chart of ten million points
/// reads some thousand rows, and no peak is lost. A series begins to have buckets of 64 steps when it has more than <see cref="Short"/> points, and the others
/// when it has more than <see cref="MostRead"/>: most series never do.
/// </summary>
internal static class MetricBuckets
{
    /// <summary>A bucket of a level holds two to the power of it steps.</summary>
    public static readonly IReadOnlyList<int> Levels = [6, 12, 18];

    /// <summary>Series of at most so many points have no buckets.</summary>
    public const int Short = 512;

    /// <summary>Most buckets that are read for one run.</summary>
    public const int MostRead = 10_240;

    private const string Upsert = """
        INSERT INTO run_metric_buckets (run, metric, level, bucket, first_time, last_time, low, low_step, low_time, high, high_step, high_time, nan_step, nan_time, arrived)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        ON CONFLICT DO UPDATE SET
            first_time = min(first_time, excluded.first_time),
            last_time = max(last_time, excluded.last_time),
            arrived = excluded.arrived,
            low = CASE WHEN low IS NULL OR excluded.low < low THEN excluded.low ELSE low END,
            low_step = CASE WHEN low IS NULL OR excluded.low < low THEN excluded.low_step ELSE low_step END,
            low_time = CASE WHEN low IS NULL OR excluded.low < low THEN excluded.low_time ELSE low_time END,
            high = CASE WHEN high IS NULL OR excluded.high > high THEN excluded.high ELSE high END,
            high_step = CASE WHEN high IS NULL OR excluded.high > high THEN excluded.high_step ELSE high_step END,
            high_time = CASE WHEN high IS NULL OR excluded.high > high THEN excluded.high_time ELSE high_time END,
            nan_step = CASE WHEN nan_step IS NULL OR excluded.nan_step < nan_step THEN excluded.nan_step ELSE nan_step END,
            nan_time = CASE WHEN nan_step IS NULL OR excluded.nan_step < nan_step THEN excluded.nan_time ELSE nan_time END
        """;

    /// <summary>Adds points that are new to a series which had <paramref name="before"/> others; null for one that has had all levels ever since.</summary>
    public static void Add(WriteScope scope, SeriesKey series, IReadOnlyList<MetricPoint> points, long? before)
    {
        var after = before + points.Count;
        if (after <= Short)
        {
            return;
        }

        // What begins here takes the points of before along: they are in the table by now.
        var narrow = MetricBucket.Over(before <= Short ? All(scope, series) : points, Levels[0]);
        Write(scope, series, Levels[0], narrow);
        if (after <= MostRead)
        {
            return;
        }

        var source = before is > Short and <= MostRead ? MetricBucket.Over(All(scope, series), Levels[0]) : narrow;
        for (var level = 1; level < Levels.Count; level++)
        {
            source = MetricBucket.Over(source, Levels[level] - Levels[level - 1]);
            Write(scope, series, Levels[level], source);
        }
    }

    /// <summary>Whether the series has buckets; without them it has at most <see cref="Short"/> points. Null when there is no such series.</summary>
    public static bool? Has(DbConnection connection, SeriesKey series)
    {
        var read = connection.Prepare("SELECT points FROM run_latest WHERE run = ?1 AND metric = ?2").Bind(1, series.Run).Bind(2, series.Metric);
        bool? has = read.Read() ? read.IsNull(0) || read.Long(0) > Short : null;
        read.Reset();
        return has;
    }

    /// <summary>How many buckets of the lowest level have points in the range, counted to <paramref name="most"/> at most.</summary>
    public static int Count(DbConnection connection, SeriesKey series, ChartRange range, int most) => Count(connection, series, range, most, Levels[0]);

    private static int Count(DbConnection connection, SeriesKey series, ChartRange range, int most, int level)
    {
        var count = connection.Prepare("SELECT count(*) FROM (SELECT 1 FROM run_metric_buckets WHERE run = ?1 AND metric = ?2 AND level = ?3 AND bucket BETWEEN ?4 AND ?5 LIMIT ?6)");
        return count.Bind(1, series.Run).Bind(2, series.Metric).Bind(3, level).Bind(4, range.From >> level).Bind(5, range.To >> level).Bind(6, most).Read() ? (int)count.Long(0) : 0;
    }

    /// <summary>Between which times a run's points of the range lie; null without any.</summary>
    public static (long First, long Last)? Times(DbConnection connection, SeriesKey series, ChartRange range) => Times(
        connection.Prepare("SELECT min(first_time), max(last_time) FROM run_metric_buckets WHERE run = ?1 AND metric = ?2 AND level = ?3 AND bucket BETWEEN ?4 AND ?5"), series, range);

    /// <summary>Between which times the points of the first two buckets of the range lie, or of the last two; null without any.</summary>
    public static (long First, long Last)? EndTimes(DbConnection connection, SeriesKey series, ChartRange range, bool last) => Times(
        connection.Prepare(
            "SELECT min(first_time), max(last_time) FROM (SELECT first_time, last_time FROM run_metric_buckets WHERE run = ?1 AND metric = ?2 AND level = ?3 "
            + $"AND bucket BETWEEN ?4 AND ?5 ORDER BY bucket{(last ? " DESC" : "")} LIMIT 2)"),
        series,
        range);

    /// <summary>The buckets of the range, of the lowest level at which they are not too many.</summary>
    public static IReadOnlyList<MetricBucket> Read(DbConnection connection, SeriesKey series, string name, ChartRange range)
    {
        // Counted first, so that a level which has too many is not read in vain.
        var level = Levels.Take(Levels.Count - 1).Where(level => Count(connection, series, range, MostRead + 1, level) <= MostRead).Append(Levels[^1]).First();
        List<MetricBucket> rows = [];
        var read = connection.Prepare(
            "SELECT bucket, low, low_time, low_step, high, high_time, high_step, nan_time, nan_step FROM run_metric_buckets "
            + "WHERE run = ?1 AND metric = ?2 AND level = ?3 AND bucket BETWEEN ?4 AND ?5 ORDER BY bucket LIMIT ?6");
        read.Bind(1, series.Run).Bind(2, series.Metric).Bind(3, level).Bind(4, range.From >> level).Bind(5, range.To >> level).Bind(6, MostRead + 1);
        while (read.Read())
        {
            rows.Add(MetricBucket.Of(
                read.Long(0),
                read.IsNull(1) ? null : new MetricPoint(name, read.Double(1), read.Long(2), read.Long(3)),
                read.IsNull(4) ? null : new MetricPoint(name, read.Double(4), read.Long(5), read.Long(6)),
                read.IsNull(7) ? null : new MetricPoint(name, double.NaN, read.Long(7), read.Long(8))));
        }

        return rows;
    }

    private static (long First, long Last)? Times(Statement read, SeriesKey series, ChartRange range)
    {
        read.Bind(1, series.Run).Bind(2, series.Metric).Bind(3, Levels[0]).Bind(4, range.From >> Levels[0]).Bind(5, range.To >> Levels[0]);
        (long, long)? times = read.Read() && !read.IsNull(0) ? (read.Long(0), read.Long(1)) : null;
        read.Reset();
        return times;
    }

    private static void Write(WriteScope scope, SeriesKey series, int level, IReadOnlyList<MetricBucket> buckets)
    {
        var upsert = scope.Prepare(Upsert).Bind(1, series.Run).Bind(2, series.Metric).Bind(3, level).Bind(15, scope.Sequence);
        foreach (var bucket in buckets)
        {
            upsert.Bind(4, bucket.Number).Bind(5, bucket.FirstTime).Bind(6, bucket.LastTime)
                .Bind(7, bucket.Low?.Value).Bind(8, bucket.Low?.Step).Bind(9, bucket.Low?.Time)
                .Bind(10, bucket.High?.Value).Bind(11, bucket.High?.Step).Bind(12, bucket.High?.Time)
                .Bind(13, bucket.Gap?.Step).Bind(14, bucket.Gap?.Time).Run();
        }
    }

    private static List<MetricPoint> All(WriteScope scope, SeriesKey series)
    {
        var points = new List<MetricPoint>(MostRead);
        var read = scope.Prepare("SELECT time, step, nan, value FROM run_metrics WHERE run = ?1 AND metric = ?2").Bind(1, series.Run).Bind(2, series.Metric);
        while (read.Read())
        {
            points.Add(new MetricPoint("", read.Long(2) != 0 ? double.NaN : read.Double(3), read.Long(0), read.Long(1)));
        }

        return points;
    }
}
