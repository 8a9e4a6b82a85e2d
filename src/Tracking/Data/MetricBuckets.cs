using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>
/// Series in short, for charts: of each 64, 4,096 and 262,144 steps the least and the greatest value, written with the points. A chart of ten million points
/// reads some thousand rows, and no peak is lost.
/// </summary>
internal static class MetricBuckets
{
    /// <summary>A bucket of a level holds two to the power of it steps.</summary>
    public static readonly IReadOnlyList<int> Levels = [6, 12, 18];

    private const int MostRead = 10_240;

    private const string Upsert = """
        INSERT INTO run_metric_buckets (run, metric, level, bucket, first_time, last_time, low, low_step, low_time, high, high_step, high_time, nan_step, nan_time)
        VALUES (@run, @metric, @level, @bucket, @first, @last, @low, @lowStep, @lowTime, @high, @highStep, @highTime, @nanStep, @nanTime)
        ON CONFLICT DO UPDATE SET
            first_time = min(first_time, excluded.first_time),
            last_time = max(last_time, excluded.last_time),
            low = CASE WHEN low IS NULL OR excluded.low < low THEN excluded.low ELSE low END,
            low_step = CASE WHEN low IS NULL OR excluded.low < low THEN excluded.low_step ELSE low_step END,
            low_time = CASE WHEN low IS NULL OR excluded.low < low THEN excluded.low_time ELSE low_time END,
            high = CASE WHEN high IS NULL OR excluded.high > high THEN excluded.high ELSE high END,
            high_step = CASE WHEN high IS NULL OR excluded.high > high THEN excluded.high_step ELSE high_step END,
            high_time = CASE WHEN high IS NULL OR excluded.high > high THEN excluded.high_time ELSE high_time END,
            nan_step = CASE WHEN nan_step IS NULL OR excluded.nan_step < nan_step THEN excluded.nan_step ELSE nan_step END,
            nan_time = CASE WHEN nan_step IS NULL OR excluded.nan_step < nan_step THEN excluded.nan_time ELSE nan_time END
        """;

    /// <summary>Adds points of a run. Adding one twice changes nothing.</summary>
    public static void Add(WriteScope scope, long run, IReadOnlyList<(long Metric, MetricPoint Point)> points) => scope.Execute(
        Upsert,
        Levels.SelectMany(level => points.GroupBy(one => (one.Metric, Bucket: one.Point.Step >> level), one => one.Point).Select(group =>
        {
            MetricPoint? Of(Func<IEnumerable<MetricPoint>, MetricPoint> pick, bool nan) => group.Where(point => double.IsNaN(point.Value) == nan).ToArray() is { Length: > 0 } some ? pick(some) : null;
            var low = Of(some => some.MinBy(point => point.Value), nan: false);
            var high = Of(some => some.MaxBy(point => point.Value), nan: false);
            var gap = Of(some => some.MinBy(point => point.Step), nan: true);
            return new
            {
                run,
                metric = group.Key.Metric,
                level,
                bucket = group.Key.Bucket,
                first = group.Min(point => point.Time),
                last = group.Max(point => point.Time),
                low = low?.Value,
                lowStep = low?.Step,
                lowTime = low?.Time,
                high = high?.Value,
                highStep = high?.Step,
                highTime = high?.Time,
                nanStep = gap?.Step,
                nanTime = gap?.Time,
            };
        })));

    /// <summary>How many buckets of the lowest level have points in the range, of several runs together, counted to <paramref name="most"/> at most.</summary>
    public static int Count(DbConnection connection, IReadOnlyList<long> runs, long metric, ChartRange range, int most) => connection.QueryFirst<int>(
        "SELECT count(*) FROM (SELECT 1 FROM run_metric_buckets WHERE run IN (SELECT value FROM json_each(@runs)) AND metric = @metric AND level = @level AND bucket BETWEEN @first AND @last LIMIT @most)",
        new { runs = Keys.Json(runs), metric, level = Levels[0], first = range.From >> Levels[0], last = range.To >> Levels[0], most });

    /// <summary>Between which times a run's points of the range lie; null without any.</summary>
    public static (long First, long Last)? Times(DbConnection connection, long run, long metric, ChartRange range)
    {
        var (first, last) = connection.QueryFirst<(long? First, long? Last)>(
            "SELECT min(first_time), max(last_time) FROM run_metric_buckets WHERE run = @run AND metric = @metric AND level = @level AND bucket BETWEEN @first AND @last",
            new { run, metric, level = Levels[0], first = range.From >> Levels[0], last = range.To >> Levels[0] });
        return first is { } known ? (known, last!.Value) : null;
    }

    /// <summary>Between which times the points of the first two buckets of the range lie, or of the last two; null without any.</summary>
    public static (long First, long Last)? EndTimes(DbConnection connection, long run, long metric, ChartRange range, bool last)
    {
        var (from, to) = connection.QueryFirst<(long? From, long? To)>(
            "SELECT min(first_time), max(last_time) FROM (SELECT first_time, last_time FROM run_metric_buckets WHERE run = @run AND metric = @metric AND level = @level "
            + $"AND bucket BETWEEN @first AND @last ORDER BY bucket{(last ? " DESC" : "")} LIMIT 2)",
            new { run, metric, level = Levels[0], first = range.From >> Levels[0], last = range.To >> Levels[0] });
        return from is { } known ? (known, to!.Value) : null;
    }

    /// <summary>
    /// About <see cref="ChartRange.Top"/> points of a run in the range, in the order of their steps: of each of equally long parts the least and the greatest, and the first NaN.
    /// </summary>
    public static IEnumerable<MetricPoint> Read(DbConnection connection, long run, string name, long metric, ChartRange range)
    {
        var rows = Rows(connection, run, metric, range);
        if (rows.Count == 0)
        {
            return [];
        }

        var (first, length) = (rows[0].Bucket, rows[^1].Bucket - rows[0].Bucket + 1);
        var parts = Math.Max(1, range.Top / 2);
        return rows
            .GroupBy(row => (long)((Int128)(row.Bucket - first) * parts / length))
            .SelectMany(part => Extremes(name, part))
            .Where(point => point.Step >= range.From && point.Step <= range.To)
            .Distinct()
            .OrderBy(point => point.Step).ThenBy(point => point.Time);
    }

    private static List<BucketRow> Rows(DbConnection connection, long run, long metric, ChartRange range)
    {
        List<BucketRow> rows = [];
        foreach (var level in Levels)
        {
            rows = connection.Query<BucketRow>(
                "SELECT bucket AS Bucket, low AS Low, low_step AS LowStep, low_time AS LowTime, high AS High, high_step AS HighStep, high_time AS HighTime, nan_step AS NanStep, nan_time AS NanTime "
                + "FROM run_metric_buckets WHERE run = @run AND metric = @metric AND level = @level AND bucket BETWEEN @first AND @last ORDER BY bucket LIMIT @limit",
                new { run, metric, level, first = range.From >> level, last = range.To >> level, limit = MostRead + 1 }).AsList();
            if (rows.Count <= MostRead)
            {
                break;
            }
        }

        return rows;
    }

    private static IEnumerable<MetricPoint> Extremes(string name, IEnumerable<BucketRow> part)
    {
        var rows = part.ToArray();
        if (rows.Where(row => row.Low is not null).MinBy(row => row.Low) is { } low && rows.Where(row => row.High is not null).MaxBy(row => row.High) is { } high)
        {
            yield return new MetricPoint(name, low.Low!.Value, low.LowTime!.Value, low.LowStep!.Value);
            yield return new MetricPoint(name, high.High!.Value, high.HighTime!.Value, high.HighStep!.Value);
        }

        if (rows.FirstOrDefault(row => row.NanStep is not null) is { } gap)
        {
            yield return new MetricPoint(name, double.NaN, gap.NanTime!.Value, gap.NanStep!.Value);
        }
    }

    private sealed record BucketRow(long Bucket, double? Low, long? LowStep, long? LowTime, double? High, long? HighStep, long? HighTime, long? NanStep, long? NanTime);
}
