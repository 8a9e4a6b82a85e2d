using Zaffre.Database;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>One metric of several runs, run by run, at most 25,000 points together.</summary>
internal sealed class GetMetricHistoryBulk(IDatabase database) : MlflowOperation
{
    public const int MostRuns = 100;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "metrics/get-history-bulk");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (ids, name) = (RunIds(request, "run_id"), request.RequiredText("metric_key"));
        var left = Math.Min(MlflowLimits.Results(request, MlflowLimits.HistoryPage, int.MaxValue), MlflowLimits.HistoryPage);
        var points = await database.ReadAsync(
            connection =>
            {
                var found = new List<(string Run, MetricRow Point)>();
                foreach (var run in Find(connection, call, ids).TakeWhile(_ => found.Count < left))
                {
                    found.AddRange(MetricStore.History(connection, run.Key, name, null, left - found.Count).Select(point => (run.Id, point)));
                }

                return found;
            },
            ct);
        await WriteAsync(call, points, ct);
    }

    public static List<string> RunIds(MlflowRequest request, string member)
    {
        var ids = request.Texts(member).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return ids.Count switch
        {
            0 => throw MlflowErrors.Missing(member),
            > MostRuns => throw MlflowErrors.Invalid($"GetMetricHistoryBulk request cannot specify more than {MostRuns} run_ids. Received {ids.Count} run_ids."),
            _ => ids,
        };
    }

    public static IEnumerable<RunRow> Find(System.Data.Common.DbConnection connection, MlflowCall call, IEnumerable<string> ids) =>
        ids.Select(id => RunStore.Find(connection, call.WorkspaceKey, id) ?? throw MlflowErrors.NoRun(id));

    public static Task WriteAsync(MlflowCall call, IReadOnlyList<(string Run, MetricRow Point)> points, CancellationToken ct) => call.WriteAsync(
        json =>
        {
            if (points.Count == 0)
            {
                return;
            }

            json.WriteStartArray("metrics");
            foreach (var (run, point) in points)
            {
                json.Metric(point, run);
            }

            json.WriteEndArray();
        },
        ct);
}

/// <summary>A chart of one metric over several runs: at most <c>max_results</c> steps of the runs together, the same ones of each.</summary>
internal sealed class GetMetricHistoryInterval(IDatabase database) : MlflowOperation
{
    private const int MostResults = 2500;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "metrics/get-history-bulk-interval");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (ids, name) = (GetMetricHistoryBulk.RunIds(request, "run_ids"), request.RequiredText("metric_key"));
        var top = MlflowLimits.Results(request, MostResults, MostResults);
        var (from, to) = (request.Long("start_step"), request.Long("end_step"));
        if (from is null != to is null)
        {
            throw MlflowErrors.Invalid("If either start step or end step are specified, both must be specified.");
        }

        if (from > to)
        {
            throw MlflowErrors.Invalid($"end_step must be greater than start_step. Found start_step={from} and end_step={to}.");
        }

        var points = await database.ReadAsync(
            connection =>
            {
                var runs = GetMetricHistoryBulk.Find(connection, call, ids).DistinctBy(run => run.Key).ToList();
                var chart = MetricChart.Read(connection, [.. runs.Select(run => run.Key)], name, new ChartRange(from ?? 0, to ?? long.MaxValue, top));
                return runs.SelectMany(run => chart[run.Key].Select(point => (run.Id, point))).ToList();
            },
            ct);
        await GetMetricHistoryBulk.WriteAsync(call, points, ct);
    }
}
