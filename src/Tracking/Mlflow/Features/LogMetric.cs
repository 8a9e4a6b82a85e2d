using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>Logs one point of a metric.</summary>
internal sealed class LogMetric(RunAccess runs, MetricStore metrics, LoggedModelAccess models) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = Mlflow.Routes.Of("POST", "runs/log-metric");

    public override string Action => "workspaces/metrics/resource/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var run = request.RunId();
        var point = MlflowLimits.Metric(request);
        var ofModel = MlflowLimits.OfModel(request, point);
        await runs.WriteAsync(
            call,
            run,
            (scope, row) =>
            {
                metrics.Log(scope, row, [point]);
                models.LogMetrics(scope, call, row, ofModel is null ? [] : [ofModel]);
            },
            ct);
        await call.WriteEmptyAsync(ct);
    }
}
