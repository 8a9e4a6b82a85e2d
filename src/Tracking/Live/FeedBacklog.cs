using System.Data.Common;
using Dapper;
using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Live;

/// <summary>Units after <paramref name="After"/>, up to <paramref name="Upto"/>.</summary>
internal sealed record FeedRange(long After, long Upto);

/// <summary>An event read from the store, and the key of its kind up to which it reaches; empty when the kind is done.</summary>
internal sealed record FeedPage(FeedPart? Part, IReadOnlyList<long> Passed);

/// <summary>Reads from the store what came in a range of units, event by event, in the order of run, kind and key. Nothing is held open between two events.</summary>
internal sealed class FeedBacklog(IDatabase database)
{
    private const int RunsAtOnce = 200;
    private const int RowsAtOnce = 500;
    private const int PointsAtOnce = 1000;

    /// <summary>The number of a unit that is committed when this returns, and so are all before it.</summary>
    public Task<long> NowAsync(CancellationToken ct) => database.WriteAsync(scope => scope.Sequence, ct);

    public Task<RunRow?> RunAsync(long key, CancellationToken ct) =>
        database.ReadAsync(connection => connection.QueryFirstOrDefault<RunRow>(RunRow.Select + " WHERE r.key = @key", new { key }), ct);

    /// <summary>Whether a subject still exists.</summary>
    public Task<bool> ExistsAsync(FeedSubject subject, CancellationToken ct) => database.ReadAsync(
        connection => connection.QueryFirstOrDefault<long?>($"SELECT key FROM {(subject.IsExperiment ? "experiments" : "runs")} WHERE key = @Key", new { subject.Key }) is not null, ct);

    /// <summary>Runs of a subject that may have changed after <paramref name="after"/>, from a key on, in the order of their keys.</summary>
    public Task<IReadOnlyList<RunRow>> RunsAsync(FeedSubject subject, long after, long from, CancellationToken ct) => database.ReadAsync<IReadOnlyList<RunRow>>(
        connection => connection.Query<RunRow>(
            RunRow.Select + (subject.IsExperiment ? " WHERE r.experiment = @Key AND r.changed >= @mark" : " WHERE r.key = @Key") + " AND r.key >= @from ORDER BY r.key LIMIT @RunsAtOnce",
            new { subject.Key, mark = after - RunChange.MarkWidth, from, RunsAtOnce }).AsList(),
        ct);

    /// <summary>The last state of a run among those up to a unit.</summary>
    public Task<RunStatus?> StateAsync(long run, long upto, CancellationToken ct) => database.ReadAsync(
        connection => (RunStatus?)connection.QueryFirstOrDefault<long?>("SELECT status FROM run_states WHERE run = @run AND arrived <= @upto ORDER BY arrived DESC, status DESC LIMIT 1", new { run, upto }), ct);

    /// <summary>Which metrics of a run may have points in the range, and between which times they lie.</summary>
    public Task<IReadOnlyList<FeedSeries>> SeriesAsync(long run, FeedRange range, CancellationToken ct) => database.ReadAsync<IReadOnlyList<FeedSeries>>(
        connection =>
        {
            var all = connection.Query<(long Metric, string Name, long? Points)>(
                "SELECT l.metric, n.name, l.points FROM run_latest l CROSS JOIN metric_names n ON n.key = l.metric WHERE l.run = @run ORDER BY l.metric", new { run }).AsList();
            var found = new List<FeedSeries>(all.Count);
            foreach (var (metric, name, points) in all)
            {
                if (points <= MetricBuckets.Short)
                {
                    found.Add(new FeedSeries(metric, name, long.MinValue, long.MaxValue));
                }
                else if (Times(connection, new SeriesKey(run, metric), MetricBuckets.Levels[points <= MetricBuckets.MostRead ? 0 : 1], range) is var (first, last))
                {
                    found.Add(new FeedSeries(metric, name, first, last));
                }
            }

            return found;
        },
        ct);

    /// <summary>The next event of a kind after <paramref name="passed"/>.</summary>
    public Task<FeedPage> NextAsync(RunRow run, FeedKind kind, FeedRange range, IReadOnlyList<long> passed, CancellationToken ct) => database.ReadAsync(
        connection => kind switch
        {
            FeedKind.Param => Values(connection, run, range, passed, "SELECT arrived, name, value FROM run_params WHERE run = @Key", FeedKind.Param),
            FeedKind.Tag => Values(
                connection, run, range, passed,
                "SELECT arrived, name, value FROM (SELECT run, arrived, name, value FROM run_tags UNION ALL SELECT run, arrived, name, NULL FROM run_tags_gone g WHERE NOT EXISTS "
                + "(SELECT 1 FROM run_tags t WHERE t.run = g.run AND t.name = g.name)) WHERE run = @Key",
                FeedKind.Tag),
            _ => Moves(connection, run, range, passed),
        },
        ct);

    /// <summary>The next points of the series after <paramref name="passed"/>, in the order (metric, time, step, NaN, value).</summary>
    public Task<FeedPage> PointsAsync(RunRow run, IReadOnlyList<FeedSeries> series, FeedRange range, IReadOnlyList<long> passed, CancellationToken ct) => database.ReadAsync(
        connection =>
        {
            var points = new List<MetricPoint>();
            var last = passed;
            foreach (var one in series.SkipWhile(one => passed.Count > 0 && one.Metric < passed[0]))
            {
                if (points.Count == PointsAtOnce)
                {
                    break;
                }

                var after = last.Count > 0 && last[0] == one.Metric ? last : null;
                foreach (var (time, step, nan, value) in Points(connection, run.Key, one, range, after, PointsAtOnce - points.Count))
                {
                    points.Add(new MetricPoint(one.Name, nan != 0 ? double.NaN : value, time, step));
                    last = [one.Metric, time, step, nan, BitConverter.DoubleToInt64Bits(value)];
                }
            }

            return points.Count == 0 ? new FeedPage(null, []) : new FeedPage(FeedPart.OfPoints(run, points), points.Count == PointsAtOnce ? last : []);
        },
        ct);

    /// <summary>Between which times the new points of a series with buckets lie.</summary>
    private static (long First, long Last)? Times(DbConnection connection, SeriesKey series, int level, FeedRange range)
    {
        var (first, last) = connection.QueryFirst<(long? First, long? Last)>(
            "SELECT min(first_time), max(last_time) FROM run_metric_buckets WHERE run = @Run AND metric = @Metric AND level = @level AND arrived > @After", new { series.Run, series.Metric, level, range.After });
        return first is { } known ? (known, last!.Value) : null;
    }

    private static List<(long Time, long Step, long Nan, double Value)> Points(DbConnection connection, long run, FeedSeries series, FeedRange range, IReadOnlyList<long>? after, int limit) => connection
        .Query<(long, long, long, double)>(
            "SELECT time, step, nan, value FROM run_metrics WHERE run = @run AND metric = @Metric AND time BETWEEN @First AND @Last AND arrived > @After AND arrived <= @Upto"
            + (after is null ? "" : " AND (time, step, nan, value) > (@time, @step, @nan, @value)") + " ORDER BY time, step, nan, value LIMIT @limit",
            new
            {
                run,
                series.Metric,
                series.First,
                series.Last,
                range.After,
                range.Upto,
                time = after?[1],
                step = after?[2],
                nan = after?[3],
                value = after is null ? 0 : BitConverter.Int64BitsToDouble(after[4]),
                limit,
            }).AsList();

    private static FeedPage Values(DbConnection connection, RunRow run, FeedRange range, IReadOnlyList<long> passed, string select, FeedKind kind)
    {
        var after = Math.Max(range.After, passed.Count > 0 ? passed[0] : range.After);
        List<(long Arrived, string Name, string? Value)> Read(string condition, int limit) => connection.Query<(long, string, string?)>(
            $"{select} AND {condition} ORDER BY arrived, name LIMIT @limit", new { run.Key, after, range.Upto, limit }).AsList();

        var rows = Read("arrived > @after AND arrived <= @Upto", RowsAtOnce + 1);
        if (rows.Count == 0)
        {
            return new FeedPage(null, []);
        }

        var more = rows.Count > RowsAtOnce;
        if (more)
        {
            // The last unit may be cut. A unit alone is sent whole, however long.
            var (first, cut) = (rows[0].Arrived, rows[^1].Arrived);
            rows = first == cut ? Read("arrived = (SELECT min(arrived) FROM (" + select + " AND arrived > @after))", int.MaxValue) : [.. rows.TakeWhile(row => row.Arrived < cut)];
        }

        var set = rows.Where(row => row.Value is not null).Select(row => (row.Name, row.Value!)).ToList();
        var part = kind == FeedKind.Param ? FeedPart.OfParams(run, set) : FeedPart.OfTags(run, set, [.. rows.Where(row => row.Value is null).Select(row => row.Name)]);
        return new FeedPage(part, more ? [rows[^1].Arrived] : []);
    }

    private static FeedPage Moves(DbConnection connection, RunRow run, FeedRange range, IReadOnlyList<long> passed)
    {
        var (unit, state) = passed.Count > 0 ? (passed[0], passed[1]) : (range.After, long.MaxValue);
        var row = connection.QueryFirstOrDefault<(long Arrived, long Status, long Time, string? Code, string? Message)?>(
            "SELECT arrived, status, time, error_code, error_message FROM run_states WHERE run = @Key AND (arrived, status) > (@unit, @state) AND arrived > @After AND arrived <= @Upto ORDER BY arrived, status LIMIT 1",
            new { run.Key, unit, state, range.After, range.Upto });
        return row is not { } found
            ? new FeedPage(null, [])
            : new FeedPage(FeedPart.OfMove(run, found.Arrived, new RunMove((RunStatus)found.Status, found.Time, found.Code, found.Message)), [found.Arrived, found.Status]);
    }
}

/// <summary>A metric of a run with new points between two times.</summary>
internal sealed record FeedSeries(long Metric, string Name, long First, long Last);
