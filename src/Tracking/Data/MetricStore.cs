using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>One point of a metric. NaN and the infinities are values like others.</summary>
internal readonly record struct MetricPoint(string Name, double Value, long Time, long Step);

/// <summary>A point as the database holds it: no NaN there.</summary>
internal sealed record MetricRow(long Run, string Name, long Time, long Step, long Nan, double Value)
{
    public double Real => Nan != 0 ? double.NaN : Value;
}

/// <summary>
/// The metrics of runs: an append-only table in which a point logged twice is one row, and the latest value of each metric of
/// each run, which is the greatest by (step, time, NaN, value), whatever order the points arrive in.
/// </summary>
internal sealed class MetricStore
{
    private const string InsertPoint =
        "INSERT OR IGNORE INTO run_metrics (run, metric, time, step, nan, value) VALUES (@run, @metric, @time, @step, @nan, @value)";

    private const string UpsertLatest =
        "INSERT INTO run_latest (run, metric, experiment, step, time, nan, value) VALUES (@run, @metric, @experiment, @step, @time, @nan, @value) "
        + "ON CONFLICT DO UPDATE SET step = excluded.step, time = excluded.time, nan = excluded.nan, value = excluded.value "
        + "WHERE (excluded.step, excluded.time, excluded.nan, excluded.value) > (step, time, nan, value)";

    private readonly ConcurrentDictionary<string, long> names = new(StringComparer.Ordinal);

    public void Log(WriteScope scope, RunRow run, IReadOnlyList<MetricPoint> points)
    {
        var named = points.Select(point => (Metric: Name(scope, point.Name), Point: point)).ToList();
        var rows = named.ConvertAll(one => Row(run, one.Metric, one.Point));
        scope.Execute(InsertPoint, rows);
        scope.Execute(UpsertLatest, rows.GroupBy(row => row.metric).Select(group => group.MaxBy(row => (row.step, row.time, row.nan, row.value))));
        MetricBuckets.Add(scope, run.Key, named);
    }

    /// <summary>The latest values of runs, by run and name.</summary>
    public static ILookup<long, MetricRow> Latest(DbConnection connection, IReadOnlyList<long> runs) => connection
        .Query<MetricRow>(
            "SELECT l.run AS Run, n.name AS Name, l.time AS Time, l.step AS Step, l.nan AS Nan, l.value AS Value FROM run_latest l JOIN metric_names n ON n.key = l.metric "
            + "WHERE l.run IN (SELECT value FROM json_each(@runs)) ORDER BY l.run, n.name",
            new { runs = Keys.Json(runs) })
        .ToLookup(row => row.Run);

    /// <summary>Points of one metric ordered by (time, step, value), after <paramref name="after"/>, at most <paramref name="limit"/>.</summary>
    public static IReadOnlyList<MetricRow> History(DbConnection connection, long run, string name, MetricRow? after, int limit)
    {
        if (connection.QueryFirstOrDefault<long?>("SELECT key FROM metric_names WHERE name = @name", new { name }) is not { } metric)
        {
            return [];
        }

        var continued = after is null ? "" : " AND (time, step, nan, value) > (@time, @step, @nan, @value)";
        return connection.Query<(long Time, long Step, long Nan, double Value)>(
                "SELECT time, step, nan, value FROM run_metrics WHERE run = @run AND metric = @metric" + continued + " ORDER BY time, step, nan, value LIMIT @limit",
                new { run, metric, limit, time = after?.Time, step = after?.Step, nan = after?.Nan, value = after?.Value })
            .Select(point => new MetricRow(run, name, point.Time, point.Step, point.Nan, point.Value))
            .AsList();
    }

    private static PointRow Row(RunRow run, long metric, MetricPoint point)
    {
        var nan = double.IsNaN(point.Value);
        return new PointRow(run.Key, metric, run.Experiment, point.Time, point.Step, nan ? 1 : 0, nan ? 0 : point.Value);
    }

    /// <summary>The key of a metric's name, made when it is new.</summary>
    public long Name(WriteScope scope, string name)
    {
        if (names.TryGetValue(name, out var key))
        {
            return key;
        }

        key = scope.QueryFirstOrDefault<long?>("SELECT key FROM metric_names WHERE name = @name", new { name })
            ?? scope.QueryFirstOrDefault<long>("INSERT INTO metric_names (name) VALUES (@name) RETURNING key", new { name });
        scope.OnCommitted(() => Remember(name, key));
        return key;
    }

    private void Remember(string name, long key)
    {
        if (names.Count >= 100_000)
        {
            names.Clear();
        }

        names[name] = key;
    }

#pragma warning disable IDE1006 // The names of SQL parameters.
    private sealed record PointRow(long run, long metric, long experiment, long time, long step, long nan, double value);
#pragma warning restore IDE1006
}
