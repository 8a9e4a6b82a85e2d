using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Search;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>Answers of Azure's metric store. A metric of a run is one with a single column, which has the metric's name.</summary>
internal sealed class MetricService(IDatabase database, WorkspaceKeys workspaces, RunAccess runs, MetricStore metrics)
{
    private const int PointsOnPage = 10_000;
    private const int PointsOfSample = 1000;

    /// <summary>The metrics of a run, by name.</summary>
    public async Task<IResult> ListAsync(MetricCall call, CancellationToken ct)
    {
        var run = await RunAsync(call, ct);
        var latest = await database.ReadAsync(connection => MetricStore.Latest(connection, [run.Key])[run.Key].ToList(), ct);
        var items = call.Body.Text("metricNamespace") is { Length: > 0 } ? [] : latest.Select(metric => (JsonNode)new JsonObject
        {
            ["metricKey"] = new JsonObject { ["namespace"] = "", ["name"] = metric.Name, ["labels"] = new JsonArray(), ["columnNames"] = new JsonArray(metric.Name) },
            ["columns"] = new JsonObject { [metric.Name] = "Double" },
            ["properties"] = new JsonObject { ["uxMetricType"] = MetricValues.Scalar },
        });
        return ArmResults.Ok(new JsonObject { ["value"] = new JsonArray([.. items]), ["continuationToken"] = null, ["nextLink"] = null });
    }

    /// <summary>Every point of a metric in the order of time, page by page.</summary>
    public async Task<IResult> FullAsync(MetricCall call, CancellationToken ct)
    {
        var (run, name) = (await RunAsync(call, ct), Name(call));
        var (from, to) = (Instant(call, "startTime"), Instant(call, "endTime") ?? long.MaxValue);
        var after = call.Body.Text("continuationToken") is { Length: > 0 } token ? After(run, name, token)
            : from is { } first ? new MetricRow(0, "", first - 1, long.MaxValue, 1, double.MaxValue)
            : null;
        var page = await database.ReadAsync(connection => MetricStore.History(connection, run.Key, name, after, PointsOnPage), ct);
        var points = page.Where(point => point.Time <= to).ToList();
        var next = page.Count == PointsOnPage && points.Count == page.Count ? MetricValues.Token(run, name, page[^1]) : null;
        return ArmResults.Ok(MetricValues.Metric(run, name, points, next));
    }

    /// <summary>A metric as a chart shows it: every point of a short one, a sample with its peaks of a long one.</summary>
    public async Task<IResult> SampleAsync(MetricCall call, CancellationToken ct)
    {
        var (run, name) = (await RunAsync(call, ct), Name(call));
        var (points, whole) = await database.ReadAsync(
            connection =>
            {
                var first = MetricStore.History(connection, run.Key, name, null, PointsOfSample + 1);
                return first.Count <= PointsOfSample
                    ? (first, true)
                    : (MetricChart.Read(connection, [run.Key], name, new ChartRange(long.MinValue, long.MaxValue, PointsOfSample))[run.Key].ToList(), false);
            },
            ct);
        var sample = MetricValues.Metric(run, name, points, null);
        sample["derivedLabelValues"] = new JsonObject();
        sample["isPartialResult"] = !whole;
        sample["numValuesLogged"] = whole ? points.Count : null;
        return ArmResults.Ok(sample);
    }

    /// <summary>
    /// Logs metrics. With <c>reportErrors</c> those that can be are logged and the others reported; without it nobody would see a report, so all are logged or none.
    /// </summary>
    public async Task<IResult> LogAsync(MetricCall call, CancellationToken ct)
    {
        var mlflow = new MlflowCall(call.Http, MlflowMount.All[1], await workspaces.EnsureAsync(call.Workspace, ct));
        if (!MetricValues.Read(call.Body).TryGet(out var read, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var wrong = read.Where(metric => metric.Problem is not null).ToList();
        if (wrong.Count > 0 && call.Body.Flag("reportErrors") != true)
        {
            return ArmResults.Problem(Problem.Combine([.. wrong.Select(metric => metric.Problem!)]));
        }

        await runs.WriteAsync(
            mlflow,
            call.Run,
            (scope, run) =>
            {
                var now = scope.Now.ToUnixTimeMilliseconds();
                var points = read.Where(metric => metric.Problem is null).SelectMany(metric => metric.Points).Select(point => point with { Time = point.Time == MetricValues.Now ? now : point.Time }).ToList();
                if (points.Count > 0)
                {
                    metrics.Log(scope, run, points);
                }
            },
            ct);
        return ArmResults.Ok(new JsonObject
        {
            ["errors"] = new JsonArray([.. wrong.Select(metric => (JsonNode)new JsonObject { ["metric"] = metric.Sent.DeepClone(), ["errorResponse"] = ArtifactAnswers.Error(metric.Problem!) })]),
        });
    }

    private static string Name(MetricCall call) => call.Body.Text("metricName") is { Length: > 0 } name ? name : throw new ProblemException(ArmErrors.Invalid("The member 'metricName' is missing.", "metricName"));

    private static long? Instant(MetricCall call, string member) => call.Body.Text(member) is not { Length: > 0 } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeMilliseconds()
        : throw new ProblemException(ArmErrors.Invalid($"'{member}' is no time such as 2025-01-31T12:00:00Z.", member));

    private static MetricRow After(RunRow run, string name, string token) => PageToken.Read(token, 4, MetricValues.Series(run, name)) is [long time, long step, long nan, double value]
        ? new MetricRow(0, "", time, step, nan, value)
        : throw new ProblemException(ArmErrors.Invalid("'continuationToken' is not one of this metric's.", "continuationToken"));

    private async Task<RunRow> RunAsync(MetricCall call, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(call.Workspace, ct);
        return await database.ReadAsync(connection => RunStore.Find(connection, key, call.Run), ct)
            ?? throw new ProblemException(new Problem(ProblemKind.NotFound, "UserError", $"Run {call.Run} was not found in workspace '{call.Workspace.Name}'."));
    }
}
