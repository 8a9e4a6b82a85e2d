using System.Data.Common;
using Dapper;

namespace Zaffre.Tracking.Data;

/// <summary>Steps from <paramref name="From"/> to <paramref name="To"/>, at most <paramref name="Top"/> of them.</summary>
internal sealed record ChartRange(long From, long To, int Top);

/// <summary>
/// The points of a chart. Of the distinct steps of all its runs every n-th is taken, and the last, so that lines are compared at
/// the same steps; besides, the first and last step of each run in the range.
/// </summary>
internal static class MetricChart
{
    private const int MostPointsOfRun = 25_000;

    private const string InRange = "metric = @metric AND step BETWEEN @From AND @To";

    public static ILookup<long, MetricRow> Read(DbConnection connection, IReadOnlyList<long> runs, string name, ChartRange range)
    {
        if (connection.QueryFirstOrDefault<long?>("SELECT key FROM metric_names WHERE name = @name", new { name }) is not { } metric)
        {
            return Enumerable.Empty<MetricRow>().ToLookup(point => point.Run);
        }

        var steps = Steps(connection, runs, metric, range);
        return runs.SelectMany(run => Points(connection, run, metric, name, steps, range)).ToLookup(point => point.Run);
    }

    private static List<long> Steps(DbConnection connection, IReadOnlyList<long> runs, long metric, ChartRange range)
    {
        var steps = connection.Query<long>(
            $"SELECT DISTINCT step FROM run_metrics WHERE run IN (SELECT value FROM json_each(@runs)) AND {InRange} ORDER BY step",
            new { runs = Keys.Json(runs), metric, range.From, range.To }).AsList();
        return steps.Count <= range.Top ? steps : [.. Enumerable.Range(0, range.Top).Select(i => steps[(int)((long)i * steps.Count / range.Top)]), steps[^1]];
    }

    private static IEnumerable<MetricRow> Points(DbConnection connection, long run, long metric, string name, IEnumerable<long> steps, ChartRange range)
    {
        var ends = connection.QueryFirst<(long? First, long? Last)>($"SELECT min(step), max(step) FROM run_metrics WHERE run = @run AND {InRange}", new { run, metric, range.From, range.To });
        if (ends is not ({ } first, { } last))
        {
            return [];
        }

        return connection.Query<(long Time, long Step, long Nan, double Value)>(
                "SELECT time, step, nan, value FROM run_metrics WHERE run = @run AND metric = @metric AND step IN (SELECT value FROM json_each(@steps)) "
                + "ORDER BY step, time, nan, value LIMIT @MostPointsOfRun",
                new { run, metric, MostPointsOfRun, steps = Keys.Json(steps.Append(first).Append(last).Distinct()) })
            .Select(point => new MetricRow(run, name, point.Time, point.Step, point.Nan, point.Value));
    }
}
