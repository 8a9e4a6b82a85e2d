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

/// <summary>The version of MLflow whose API this is. Clients choose their calls by it (spans go to <c>/v1/traces</c> since 3.4).</summary>
internal sealed class GetVersion : MlflowOperation
{
    private const string Version = "3.11.2";

    public override IReadOnlyList<string> Routes { get; } = ["GET /version"];

    public override string Action => "workspaces/experiments/read";

    public override Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        call.Http.Response.ContentType = "text/plain; charset=utf-8";
        return call.Http.Response.Body.WriteAsync(System.Text.Encoding.ASCII.GetBytes(Version), ct).AsTask();
    }
}
