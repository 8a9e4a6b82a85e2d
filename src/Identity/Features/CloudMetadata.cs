using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Identity.Tokens;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>
/// The cloud's description that <c>ARM_CLOUD_METADATA_URL</c> points at: the SDK (which asks several times per client and caches
/// nothing) and <c>az cloud</c> read it. Through the proxy it describes the Azure names, else our own host.
/// </summary>
internal static class CloudMetadata
{
    public static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/metadata/endpoints", Answer).Open();

    private static IResult Answer(HttpContext context)
    {
        var azure = AuthorityHost.IsAzure(context);
        var own = context.PublicUrls().Base(null) + "/";
        var manager = azure ? "https://management.azure.com/" : own;

        // The tenant in the endpoint makes the CLI skip instance discovery; the SDK takes its authority from elsewhere.
        var login = azure ? "https://login.microsoftonline.com/" : own + Authority.Adfs;
        var storage = azure ? "core.windows.net" : "core." + new Uri(own).Authority;
        var cloud = new JsonObject
        {
            ["name"] = azure ? "AzureCloud" : "AzureLocal",
            ["portal"] = own,
            ["resourceManager"] = manager,
            ["authentication"] = new JsonObject
            {
                ["loginEndpoint"] = login,
                ["audiences"] = new JsonArray(azure ? ["https://management.core.windows.net/", manager] : [manager]),
                ["tenant"] = "common",
                ["identityProvider"] = "AAD",
            },
            ["suffixes"] = new JsonObject
            {
                ["storage"] = storage,
                ["keyVaultDns"] = azure ? "vault.azure.net" : "vault.localhost",
                ["acrLoginServer"] = azure ? "azurecr.io" : "acr.localhost",
            },
            ["media"] = manager,
            ["graph"] = manager,
            ["graphAudience"] = manager,
            ["batch"] = manager,
            ["gallery"] = manager,
            ["sqlManagement"] = manager,
            ["vmImageAliasDoc"] = own,
            ["activeDirectoryDataLake"] = manager,
            ["microsoftGraphResourceId"] = manager,
        };
        return ArmResults.Ok(new JsonArray(cloud));
    }
}
