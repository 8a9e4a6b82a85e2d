using System.Collections.Concurrent;
using System.Data.Common;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>One point of a metric. NaN and the infinities are values like others.</summary>
internal readonly record struct MetricPoint(string Name, double Value, long Time, long Step)
{
    /// <summary>NaN as the database holds it: a flag, with 0 as the value.</summary>
    public long Nan => double.IsNaN(Value) ? 1 : 0;

    /// <summary>The value as the database holds it.</summary>
    public double Stored => double.IsNaN(Value) ? 0 : Value;

    /// <summary>Whether this is the later one: the greatest by (step, time, NaN, value) is the latest.</summary>
    public bool IsAfter(in MetricPoint other) => (Step, Time, Nan, Stored).CompareTo((other.Step, other.Time, other.Nan, other.Stored)) > 0;
}

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
    private const string InsertPoint = "INSERT OR IGNORE INTO run_metrics (run, metric, time, step, nan, value, arrived) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    private const string FindLatest = "SELECT step, time, nan, value, points FROM run_latest WHERE run = ?1 AND metric = ?2";

    private const string InsertLatest = "INSERT INTO run_latest (run, metric, experiment, step, time, nan, value, points) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    private const string UpdateLatest = "UPDATE run_latest SET step = ?3, time = ?4, nan = ?5, value = ?6, points = ?7 WHERE run = ?1 AND metric = ?2";

    private const string UpdatePoints = "UPDATE run_latest SET points = ?3 WHERE run = ?1 AND metric = ?2";

    private readonly ConcurrentDictionary<string, long> names = new(StringComparer.Ordinal);

    public void Log(WriteScope scope, RunRow run, IReadOnlyList<MetricPoint> points)
    {
        if (points.Count == 1)
        {
            Announce(scope, run, Log(scope, run, Name(scope, points[0].Name), points));
            return;
        }

        var added = new List<MetricPoint>(points.Count);
        var series = new Dictionary<string, List<MetricPoint>>(StringComparer.Ordinal);
        foreach (var point in points)
        {
            if (!series.TryGetValue(point.Name, out var own))
            {
                series[point.Name] = own = [];
            }

            own.Add(point);
        }

        foreach (var (name, own) in series)
        {
            added.AddRange(Log(scope, run, Name(scope, name), own));
        }

        Announce(scope, run, added);
    }

    /// <summary>The latest values of runs, by run and name.</summary>
    public static ILookup<long, MetricRow> Latest(DbConnection connection, IReadOnlyList<long> runs)
    {
        var rows = new List<MetricRow>();
        var read = connection.Prepare("SELECT n.name, l.time, l.step, l.nan, l.value FROM run_latest l CROSS JOIN metric_names n ON n.key = l.metric WHERE l.run = ?1 ORDER BY n.name");
        foreach (var run in runs)
        {
            read.Bind(1, run);
            while (read.Read())
            {
                rows.Add(new MetricRow(run, read.Text(0), read.Long(1), read.Long(2), read.Long(3), read.Double(4)));
            }
        }

        return rows.ToLookup(row => row.Run);
    }

    /// <summary>The key of a metric that some run has, or null.</summary>
    public static long? KeyOf(DbConnection connection, string name)
    {
        var find = connection.Prepare("SELECT key FROM metric_names WHERE name = ?1").Bind(1, name);
        long? key = find.Read() ? find.Long(0) : null;
        find.Reset();
        return key;
    }

    /// <summary>Points of one metric ordered by (time, step, value), after <paramref name="after"/>, at most <paramref name="limit"/>.</summary>
    public static IReadOnlyList<MetricRow> History(DbConnection connection, long run, string name, MetricRow? after, int limit)
    {
        if (KeyOf(connection, name) is not { } metric)
        {
            return [];
        }

        var read = connection.Prepare(after is null
            ? "SELECT time, step, nan, value FROM run_metrics WHERE run = ?1 AND metric = ?2 ORDER BY time, step, nan, value LIMIT ?3"
            : "SELECT time, step, nan, value FROM run_metrics WHERE run = ?1 AND metric = ?2 AND (time, step, nan, value) > (?4, ?5, ?6, ?7) ORDER BY time, step, nan, value LIMIT ?3");
        read.Bind(1, run).Bind(2, metric).Bind(3, limit);
        if (after is not null)
        {
            read.Bind(4, after.Time).Bind(5, after.Step).Bind(6, after.Nan).Bind(7, after.Value);
        }

        var rows = new List<MetricRow>();
        while (read.Read())
        {
            rows.Add(new MetricRow(run, name, read.Long(0), read.Long(1), read.Long(2), read.Double(3)));
        }

        return rows;
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

    /// <summary>Points of one series; returns those that are new. Of points that were there before nothing changes, so that what hangs on them is left alone.</summary>
    private static List<MetricPoint> Log(WriteScope scope, RunRow run, long metric, IReadOnlyList<MetricPoint> points)
    {
        var insert = scope.Prepare(InsertPoint).Bind(1, run.Key).Bind(2, metric).Bind(7, scope.Sequence);
        var added = new List<MetricPoint>(points.Count);
        foreach (var point in points)
        {
            if (insert.Bind(3, point.Time).Bind(4, point.Step).Bind(5, point.Nan).Bind(6, point.Stored).Run() > 0)
            {
                added.Add(point);
            }
        }

        if (added.Count > 0)
        {
            MetricBuckets.Add(scope, new SeriesKey(run.Key, metric), added, SetLatest(scope, run, metric, added));
        }

        return added;
    }

    private static void Announce(WriteScope scope, RunRow run, List<MetricPoint> added)
    {
        if (added.Count > 0)
        {
            new RunChange(run) { Points = added }.Announce(scope);
        }
    }

    /// <summary>Returns how many points the series had before; see <see cref="MetricBuckets"/>.</summary>
    private static long? SetLatest(WriteScope scope, RunRow run, long metric, List<MetricPoint> added)
    {
        var latest = added[0];
        foreach (var point in added)
        {
            latest = point.IsAfter(latest) ? point : latest;
        }

        var find = scope.Prepare(FindLatest).Bind(1, run.Key).Bind(2, metric);
        if (!find.Read())
        {
            scope.Prepare(InsertLatest).Bind(1, run.Key).Bind(2, metric).Bind(3, run.Experiment)
                .Bind(4, latest.Step).Bind(5, latest.Time).Bind(6, latest.Nan).Bind(7, latest.Stored).Bind(8, added.Count).Run();
            return 0;
        }

        var known = new MetricPoint("", find.Long(2) != 0 ? double.NaN : find.Double(3), find.Long(1), find.Long(0));
        var points = find.LongOrNull(4);
        find.Reset();
        if (latest.IsAfter(known))
        {
            scope.Prepare(UpdateLatest).Bind(1, run.Key).Bind(2, metric)
                .Bind(3, latest.Step).Bind(4, latest.Time).Bind(5, latest.Nan).Bind(6, latest.Stored).Bind(7, points + added.Count).Run();
        }
        else
        {
            scope.Prepare(UpdatePoints).Bind(1, run.Key).Bind(2, metric).Bind(3, points + added.Count).Run();
        }

        return points;
    }

    private void Remember(string name, long key)
    {
        if (names.Count >= 100_000)
        {
            names.Clear();
        }

        names[name] = key;
    }
}
