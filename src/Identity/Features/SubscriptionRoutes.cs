using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Identity.Access;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>The one tenant and its one subscription, as clients look for them when they sign in.</summary>
internal static class SubscriptionRoutes
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/tenants", (HttpContext context, LocalOwner owner) => ArmResults.Page(context, [Tenant(owner)], null)).Requires("Microsoft.Resources/tenants/read");
        endpoints.MapGet("/subscriptions", ListAsync).Requires("Microsoft.Resources/subscriptions/read");
        endpoints.MapGet("/subscriptions/{subscriptionId}", Get).Requires("Microsoft.Resources/subscriptions/read");
        endpoints.MapGet("/subscriptions/{subscriptionId}/locations", Locations).Requires("Microsoft.Resources/subscriptions/locations/read");
    }

    /// <summary>A caller sees the subscription when it has a role somewhere in it.</summary>
    private static async Task<IResult> ListAsync(HttpContext context, LocalOwner owner, AccessDirectory directory, CancellationToken ct)
    {
        var sees = context.Caller().Job is not null || (await directory.GetAsync(ct)).AssignmentsOf(context.Caller().ObjectId).Length > 0;
        return ArmResults.Page(context, sees ? [Subscription(owner)] : [], null);
    }

    private static IResult Get(string subscriptionId, LocalOwner owner) =>
        IsOurs(subscriptionId, owner) ? ArmResults.Ok(Subscription(owner)) : NotFound(subscriptionId);

    private static IResult Locations(HttpContext context, string subscriptionId, LocalOwner owner) => IsOurs(subscriptionId, owner)
        ? ArmResults.Page(context, [new JsonObject
        {
            ["id"] = $"/subscriptions/{owner.SubscriptionId}/locations/local",
            ["subscriptionId"] = owner.SubscriptionId,
            ["name"] = "local",
            ["type"] = "Region",
            ["displayName"] = "This machine",
            ["regionalDisplayName"] = "This machine",
            ["metadata"] = new JsonObject { ["regionType"] = "Physical", ["regionCategory"] = "Recommended" },
        }], null)
        : NotFound(subscriptionId);

    private static bool IsOurs(string id, LocalOwner owner) => id.Equals(owner.SubscriptionId, StringComparison.OrdinalIgnoreCase);

    private static IResult NotFound(string id) =>
        ArmResults.Problem(new Problem(ProblemKind.NotFound, "SubscriptionNotFound", $"The subscription '{id}' could not be found."));

    private static JsonObject Tenant(LocalOwner owner) => new()
    {
        ["id"] = "/tenants/" + owner.TenantId,
        ["tenantId"] = owner.TenantId,
        ["displayName"] = "Zaffre",
        ["defaultDomain"] = "localhost",
        ["tenantType"] = "AAD",
        ["tenantCategory"] = "Home",
    };

    private static JsonObject Subscription(LocalOwner owner) => new()
    {
        ["id"] = "/subscriptions/" + owner.SubscriptionId,
        ["subscriptionId"] = owner.SubscriptionId,
        ["tenantId"] = owner.TenantId,
        ["displayName"] = "Zaffre",
        ["state"] = "Enabled",
        ["authorizationSource"] = "RoleBased",
        ["managedByTenants"] = new JsonArray(),
        ["subscriptionPolicies"] = new JsonObject { ["locationPlacementId"] = "Public_2014-09-01", ["quotaId"] = "Internal_2014-09-01", ["spendingLimit"] = "Off" },
    };
}
