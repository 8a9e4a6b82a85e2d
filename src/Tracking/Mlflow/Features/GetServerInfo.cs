namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>What MLflow 3 clients ask before they use newer calls.</summary>
internal sealed class GetServerInfo : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ["GET /api/3.0/mlflow/server-info", "GET /ajax-api/3.0/mlflow/server-info"];

    public override string Action => "workspaces/experiments/read";

    public override Task HandleAsync(MlflowCall call, CancellationToken ct) => call.WriteAsync(
        json =>
        {
            json.WriteString("store_type", "SqlStore");
            json.WriteBoolean("workspaces_enabled", false);
        },
        ct);
}
