using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// Key vaults, Application Insights and container registries, which a workspace on Azure has beside its storage account. There are none
/// here, so reading one is 404 and deleting one 204, as a client does that deletes a workspace with its dependent resources.
/// </summary>
internal static class DependentResources
{
    private static readonly string[] Types = ["Microsoft.KeyVault/vaults", "Microsoft.Insights/components", "Microsoft.ContainerRegistry/registries", "Microsoft.OperationalInsights/workspaces"];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var type in Types)
        {
            var path = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/" + type + "/{resourceName}";
            endpoints.MapGet(path, (string subscriptionId, string resourceGroupName, string resourceName) =>
                ArmResults.Problem(ArmErrors.NotFound(new ArmId($"/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/{type}/{resourceName}")))).Requires(type + "/read");
            endpoints.MapPut(path, () => ArmResults.Problem(ArmErrors.Unsupported($"resources of type {type}"))).Requires(type + "/write");
            endpoints.MapDelete(path, ArmResults.NoContent).Requires(type + "/delete");
        }
    }
}
