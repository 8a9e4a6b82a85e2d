namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// Whatever of MLflow's API this server does not answer, refused by name. Clients branch on <c>ENDPOINT_NOT_FOUND</c>: several
/// calls of MLflow 3 fall back to an older one.
/// </summary>
internal sealed class Refused : MlflowOperation
{
    private static readonly (string Part, string What)[] Later =
    [
        ("/traces/metrics", "aggregates of traces"),
        ("/traces/calculate-filter-correlation", "correlation of trace filters"),
        ("/issues", "issues"),
        ("/prompt-optimization", "prompt optimization"),
        ("/datasets", "evaluation datasets"),
        ("/scorers", "scorers"),
        ("/gateway", "AI gateway"),
        ("/webhooks", "webhooks"),
        ("/workspaces", "MLflow's own workspaces"),
    ];

    public override IReadOnlyList<string> Routes { get; } =
    [
        "* /api/2.0/mlflow/{**rest}",
        "* /ajax-api/2.0/mlflow/{**rest}",
        "* /api/3.0/mlflow/{**rest}",
        "* /ajax-api/3.0/mlflow/{**rest}",
    ];

    public override string Action => "workspaces/experiments/read";

    public override Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = call.Http.Request;
        var path = request.Path.Value ?? "";
        path = path[Math.Max(path.LastIndexOf("/api/", StringComparison.OrdinalIgnoreCase), 0)..];
        var what = Later.FirstOrDefault(later => path.Contains(later.Part, StringComparison.OrdinalIgnoreCase)).What;
        throw MlflowErrors.NoEndpoint(what is null
            ? $"There is no MLflow operation {request.Method} {path}."
            : $"{request.Method} {path} is not supported by this server yet ({what}).");
    }
}
