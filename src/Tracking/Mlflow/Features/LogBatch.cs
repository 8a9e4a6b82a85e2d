using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Logs metrics, params and tags together: all of them or none.</summary>
internal sealed class LogBatch(RunAccess runs, MetricStore metrics, LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/log-batch");

    public override string Action => "workspaces/metrics/resource/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        if (request.Length > MlflowLimits.BatchBytes)
        {
            throw MlflowErrors.Invalid($"Batched logging API requests must be at most {MlflowLimits.BatchBytes} bytes, got a request of size {request.Length}.");
        }

        var id = MlflowLimits.RunId(request.RunId());
        var points = request.Elements("metrics");
        var values = request.Objects("params");
        var tags = request.Objects("tags");
        Count("metrics", points.Count, MlflowLimits.BatchMetrics);
        Count("params", values.Count, MlflowLimits.BatchParams);
        Count("tags", tags.Count, MlflowLimits.BatchTags);
        Count("metrics, params, and tags", points.Count + values.Count + tags.Count, MlflowLimits.BatchEntities);
        var (readPoints, ofModels) = new MetricReader().Read(points);
        var (readValues, readTags) = (values.Select(MlflowLimits.Param).ToList(), tags.Select(MlflowLimits.Tag).ToList());
        MlflowLimits.EachOnce(readValues);

        await runs.WriteAsync(
            call,
            id,
            (scope, row) =>
            {
                LogParam.Refuse(RunData.LogParams(scope, row, readValues), row);
                SetTag.Set(scope, row, readTags);
                if (readPoints.Count > 0)
                {
                    metrics.Log(scope, row, readPoints);
                    models.LogMetrics(scope, call, row, ofModels);
                }
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }

    private static void Count(string what, int count, int most)
    {
        if (count > most)
        {
            throw MlflowErrors.Invalid($"A batch logging request can contain at most {most} {what}. Got {count} {what}. Please split up {what} across multiple requests and try again.");
        }
    }
}
