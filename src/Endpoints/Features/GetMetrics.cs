using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Endpoints.Runtime;
using Zaffre.Gateway;
using Zaffre.Identity;
using Zaffre.Web;

namespace Zaffre.Endpoints.Features;

/// <summary>
/// What the gateway counted: <c>GET /metrics</c> for all deployments in Prometheus' form (readers of the subscription), and
/// <c>GET .../deployments/{name}/metrics</c> for one as JSON. Both are Zaffre's own.
/// </summary>
internal static class GetMetrics
{
    private const string Action = "workspaces/onlineEndpoints/deployments/read";

    public static void Map(IEndpointRouteBuilder endpoints, IEndpointRouteBuilder workspace)
    {
        endpoints.MapGet("/metrics", AllAsync).Requires(Action).WithMetadata(new OnSubscription());
        workspace.MapGet(OnlineEndpoint.Type + "/{endpoint}/deployments/{name}/metrics", OneAsync).Requires(Action);
    }

    private static async Task<IResult> AllAsync(GatewayKeeper gateway, CancellationToken ct) =>
        Results.Text(MetricsText.Of(await gateway.CountersAsync(ct)), "text/plain; version=0.0.4");

    private static async Task<IResult> OneAsync(WorkspaceRef workspace, string endpoint, string name, DeploymentStore store, GatewayKeeper gateway, CancellationToken ct)
    {
        var id = workspace.Child(OnlineEndpoint.Type, endpoint).Child("deployments", name);
        if (await store.FindAsync(id, ct) is not { } row)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var found = (await gateway.CountersAsync(ct)).FirstOrDefault(c => c.Endpoint.Equals(row.Id.Parent.Name, StringComparison.OrdinalIgnoreCase) && c.Deployment.Equals(row.Id.Name, StringComparison.OrdinalIgnoreCase));
        return ArmResults.Ok(Describe(found ?? new DeploymentCounters(row.Id.Parent.Name, row.Id.Name)));
    }

    private static JsonObject Describe(DeploymentCounters counters) => new()
    {
        ["since"] = counters.Since == default ? null : counters.Since,
        ["requests"] = new JsonObject(MetricsText.Outcomes(counters).Prepend(("total", counters.Requests)).Select(o => KeyValuePair.Create<string, JsonNode?>(o.Item1, o.Item2))),
        ["latencySeconds"] = new JsonObject
        {
            ["p50"] = counters.Percentile(0.5),
            ["p95"] = counters.Percentile(0.95),
            ["p99"] = counters.Percentile(0.99),
            ["bounds"] = new JsonArray([.. DeploymentCounters.LatencyBounds.Select(b => JsonValue.Create(b))]),
            ["counts"] = new JsonArray([.. counters.Latency.Select(c => JsonValue.Create(c))]),
        },
        ["pending"] = counters.Pending,
        ["places"] = counters.Places,
        ["saturation"] = counters.Places == 0 ? 0 : (double)counters.Pending / counters.Places,
        ["connections"] = counters.Connections,
    };

    private sealed class OnSubscription : IScopeOfRequest
    {
        public ArmId ScopeOf(HttpContext context) =>
            new("/subscriptions/" + ((LocalOwner)context.RequestServices.GetService(typeof(LocalOwner))!).SubscriptionId);
    }
}
