using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// Azure's metric store (<c>/metric/v2.0/.../runs/{id}</c>), as azureml-core, promptflow and dashboards call it, over the metrics of runs. Logged and read live. Scalars and
/// lists of numbers are metrics here; tables are refused metric by metric.
/// </summary>
internal static class MetricRoutes
{
    private const string Reading = "workspaces/experiments/runs/read";
    private const string Writing = "workspaces/metrics/resource/write";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/metric/v2.0");
        group.MapPost("/runs/{id}/list", Of((service, call, ct) => service.ListAsync(call, ct))).Requires(Reading);
        group.MapPost("/runs/{id}/full", Of((service, call, ct) => service.FullAsync(call, ct))).Requires(Reading);
        group.MapPost("/runs/{id}/sample", Of((service, call, ct) => service.SampleAsync(call, ct))).Requires(Reading);
        group.MapPost("/runs/{id}/batch", Of((service, call, ct) => service.LogAsync(call, ct))).Requires(Writing);
        group.MapPost("/runs/{id}/batchsync", Of((service, call, ct) => service.LogAsync(call, ct))).Requires(Writing);
        group.MapDelete("/runs/{id}/deleteMetrics", Refused("the deletion of metrics: what was logged stays, until its run is deleted")).Requires(Writing);
        group.MapDelete("/experiments/{experiment}/containers/{container}/deleteMetrics", Refused("the deletion of metrics: what was logged stays, until its run is deleted")).Requires(Writing);
        group.MapPost("/azuremonitor/list", Refused("metrics of Azure Monitor")).Requires(Reading);
    }

    private static RequestDelegate Of(Func<MetricService, MetricCall, CancellationToken, Task<IResult>> answer) => ArtifactRoutes.Guarded(async (http, workspace, ct) =>
        (await JsonBody.ReadAsync(http.Request, ct)).TryGet(out var body, out var problem)
            ? await answer(http.RequestServices.GetRequiredService<MetricService>(), new MetricCall(http, workspace, (string)http.Request.RouteValues["id"]!, body), ct)
            : ArmResults.Problem(problem));

    private static RequestDelegate Refused(string what) => ArtifactRoutes.Guarded((_, _, _) => Task.FromResult(ArmResults.Problem(ArmErrors.Unsupported(what))));
}

/// <summary>One call about the metrics of a run.</summary>
internal sealed record MetricCall(HttpContext Http, WorkspaceRef Workspace, string Run, JsonObject Body);
