using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>Sizes and usages of a location: every location is this host.</summary>
internal static class LocationRoutes
{
    private const string Location = $"/subscriptions/{{subscriptionId}}/providers/{Routes.Provider}/locations/{{location}}";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Location + "/vmSizes", (ComputeSizes sizes) => sizes.List().TryGet(out var list, out var unreadable) ? ArmResults.Ok(new JsonObject { ["value"] = list }) : ArmResults.Problem(unreadable)).Requires("locations/vmsizes/read");
        endpoints.MapGet(Location + "/usages", Usages).Requires("locations/usages/read");
    }

    private static IResult Usages(HttpContext context, string subscriptionId, string location, ComputeTargets targets)
    {
        var (now, most) = targets.HostPlaces;
        return ArmResults.Page(
            context,
            [
                new JsonObject
                {
                    ["id"] = $"/subscriptions/{subscriptionId}/providers/{Routes.Provider}/locations/{location}/usages/hostTasks",
                    ["type"] = $"{Routes.Provider}/locations/usages",
                    ["amlWorkspaceLocation"] = location,
                    ["unit"] = "Count",
                    ["currentValue"] = now,
                    ["limit"] = most,
                    ["name"] = new JsonObject { ["value"] = "hostTasks", ["localizedValue"] = "Tasks at once on this host" },
                },
            ],
            null);
    }
}
