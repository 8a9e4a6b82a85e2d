using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// The token of a run, which Azure's plugin renews before it ends. A job's token is good until the job ends, so the job that asks gets the one that it has; nobody else gets it.
/// </summary>
internal static class RunTokenRoutes
{
    private const string Scheme = "Bearer ";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/history/v1.0");
        foreach (var experiments in new[] { "experiments", "experimentids" })
        {
            group.MapGet($"/{experiments}/{{experiment}}/runs/{{id}}/token", ArtifactRoutes.Of(HandleAsync)).Requires("workspaces/experiments/runs/read");
        }
    }

    private static async Task<IResult> HandleAsync(HttpContext http, RunRow run, CancellationToken ct)
    {
        var workspace = (await WorkspaceRef.BindAsync(http))!;
        if (http.Caller().Job is not { } job || !RunAccess.InWorkspace(job, workspace) || !job.Name.Equals(run.Id, StringComparison.OrdinalIgnoreCase))
        {
            return ArmResults.Problem(new Problem(ProblemKind.Forbidden, "UserError", $"The token of run '{run.Id}' is given to its own job only."));
        }

        var shown = http.Request.Headers[HeaderNames.Authorization].ToString();
        var token = shown.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? shown[Scheme.Length..].Trim() : "";
        return http.RequestServices.GetRequiredService<ITokens>().ExpiryOf(token) is { } ends
            ? ArmResults.Ok(new JsonObject { ["token"] = token, ["expiryTimeUtc"] = RunHistory.Time(ends) })
            : ArmResults.Problem(new Problem(ProblemKind.Invalid, "UserError", "Show the job's token in the header Authorization."));
    }
}
