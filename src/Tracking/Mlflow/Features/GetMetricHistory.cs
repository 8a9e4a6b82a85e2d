using System.Globalization;
using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// Every point of a metric, ordered by time, step and value. With <c>max_results</c> one page (at most 25,000 points), without it,
/// as old clients ask, the whole history; both are sent while they are read.
/// </summary>
internal sealed class GetMetricHistory(IDatabase database) : MlflowOperation
{
    private const int Piece = 5_000;

    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("GET", "metrics/get-history");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var (id, name) = (request.RunId(), request.RequiredText("metric_key"));
        long left = request.Long("max_results") is null ? long.MaxValue : MlflowLimits.Results(request, MlflowLimits.HistoryPage, MlflowLimits.HistoryPage);
        var after = request.Text("page_token") is { } token ? Read(token, $"{id}\n{name}") : null;
        var run = await database.ReadAsync(connection => RunStore.Find(connection, call.WorkspaceKey, id), ct) ?? throw MlflowErrors.NoRun(id);

        var first = await ReadAsync(run.Key, name, after, left, ct);
        await call.StreamAsync(
            async json =>
            {
                if (first.Count > 0)
                {
                    json.WriteStartArray("metrics");
                }

                var points = first;
                while (points.Count > 0)
                {
                    foreach (var point in points)
                    {
                        json.Metric(point);
                    }

                    await json.FlushAsync(ct);
                    (after, left) = (points[^1], left - points.Count);
                    points = left > 0 ? await ReadAsync(run.Key, name, after, left, ct) : [];
                }

                if (first.Count > 0)
                {
                    json.WriteEndArray();
                }

                if (left == 0 && (await ReadAsync(run.Key, name, after, 1, ct)).Count > 0)
                {
                    json.WriteString("next_page_token", PageToken.Write([after!.Time, after.Step, after.Nan, after.Value], $"{id}\n{name}"));
                }
            },
            ct);
    }

    private Task<IReadOnlyList<MetricRow>> ReadAsync(long run, string name, MetricRow? after, long left, CancellationToken ct) =>
        database.ReadAsync(connection => MetricStore.History(connection, run, name, after, (int)Math.Min(left, Piece)), ct);

    private static MetricRow Read(string token, string search) => PageToken.Read(token, 4, search) is [long time, long step, long nan, double value]
        ? new MetricRow(0, "", time, step, nan, value)
        : throw MlflowErrors.InvalidValue("page_token", string.Create(CultureInfo.InvariantCulture, $"'{token}'"), "it is not a token of this history.");
}
