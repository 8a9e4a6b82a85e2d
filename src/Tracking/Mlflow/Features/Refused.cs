namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// Whatever of MLflow's API this server does not answer, refused by name. Clients branch on <c>ENDPOINT_NOT_FOUND</c>: several
/// calls of MLflow 3 fall back to an older one.
/// </summary>
internal sealed class Refused : MlflowOperation
{
    private static readonly (string Part, string What)[] Later =
    [
        ("/issues", "issues"),
        ("/prompt-optimization", "prompt optimization"),
        ("/datasets", "evaluation datasets"),
        ("/scorers", "scorers"),
        ("/gateway", "AI gateway"),
        ("/webhooks", "webhooks"),
        ("/workspaces", "MLflow's own workspaces"),
        ("/unified-traces", "traces of Databricks"),
        ("/get-online-trace-details", "traces of Databricks"),
        ("/users/", "MLflow's own users"),
        ("/permissions/", "MLflow's own users"),
        ("/jobs", "jobs of MLflow's own server"),
        ("/endpoints", "AI gateway"),
        ("/graphql", "GraphQL of MLflow's own pages"),
    ];

    public override IReadOnlyList<string> Routes { get; } =
    [
        "* /api/2.0/{**rest}",
        "* /ajax-api/2.0/{**rest}",
        "* /api/3.0/{**rest}",
        "* /ajax-api/3.0/{**rest}",
        "* /graphql",
        "* /gateway/{**rest}",
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
