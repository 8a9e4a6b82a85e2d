using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// Keys, diagnosis and what a workspace depends on. Nothing is cached, so there are no keys to synchronize; nothing lies outside this
/// machine, so there are no outbound dependencies, rules or private endpoints to list. Notebooks have no service here and are refused by name.
/// </summary>
internal static class WorkspaceActions
{
    private static readonly string[] Findings =
    [
        "userDefinedRouteResults", "networkSecurityRuleResults", "resourceLockResults", "dnsResolutionResults", "storageAccountResults",
        "keyVaultResults", "containerRegistryResults", "applicationInsightsResults", "otherResults",
    ];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var workspace = endpoints.MapWorkspace();
        workspace.MapPost("listKeys", ListKeysAsync).Requires("workspaces/listKeys/action");
        workspace.MapPost("listStorageAccountKeys", ListStorageAccountKeysAsync).Requires("workspaces/listStorageAccountKeys/action");
        workspace.MapPost("resyncKeys", () => Results.Ok()).Requires("workspaces/resyncKeys/action");
        workspace.MapPost("diagnose", DiagnoseAsync).Requires("workspaces/diagnose/action");
        workspace.MapGet("outboundNetworkDependenciesEndpoints", None).Requires("workspaces/outboundNetworkDependenciesEndpoints/read");
        workspace.MapGet("outboundRules", None).Requires("workspaces/outboundRules/read");
        workspace.MapGet("privateEndpointConnections", None).Requires("workspaces/privateEndpointConnections/read");
        workspace.MapGet("privateLinkResources", None).Requires("workspaces/privateLinkResources/read");
    }

    private static IResult None(HttpContext context) => ArmResults.Page(context, [], null);

    private static async Task<IResult> ListKeysAsync(WorkspaceRef workspace, IWorkspaces workspaces, IStorageAccounts accounts, CancellationToken ct) =>
        (await workspaces.GetAsync(workspace, ct)).TryGet(out var found, out var problem)
            ? ArmResults.Ok(new JsonObject
            {
                ["userStorageKey"] = await accounts.GetKeyAsync(found.StorageAccount, ct),
                ["userStorageResourceId"] = WorkspaceStore.AccountId(found).Value,
                ["userStorageArmId"] = WorkspaceStore.AccountId(found).Value,
                ["appInsightsInstrumentationKey"] = "",
                ["containerRegistryCredentials"] = new JsonObject(),
                ["notebookAccessKeys"] = new JsonObject(),
            })
            : ArmResults.Problem(problem);

    private static async Task<IResult> ListStorageAccountKeysAsync(WorkspaceRef workspace, IWorkspaces workspaces, IStorageAccounts accounts, CancellationToken ct) =>
        (await workspaces.GetAsync(workspace, ct)).TryGet(out var found, out var problem)
            ? ArmResults.Ok(new JsonObject { ["userStorageKey"] = await accounts.GetKeyAsync(found.StorageAccount, ct) })
            : ArmResults.Problem(problem);

    /// <summary>Looks at what the workspace needs and can lose: its storage account. The body chooses checks of networks, which there are none of.</summary>
    private static async Task<IResult> DiagnoseAsync(WorkspaceRef workspace, IWorkspaces workspaces, IStorageAccounts accounts, CancellationToken ct)
    {
        if (!(await workspaces.GetAsync(workspace, ct)).TryGet(out var found, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var value = new JsonObject(Findings.Select(name => KeyValuePair.Create(name, (JsonNode?)new JsonArray())));
        if (await accounts.FindAsync(found.StorageAccount, ct) is null)
        {
            value["storageAccountResults"]!.AsArray().Add((JsonNode)new JsonObject
            {
                ["code"] = "StorageAccountNotFound",
                ["level"] = "Error",
                ["message"] = $"The storage account '{found.StorageAccount}' of the workspace was deleted: its datastores, logs and artifacts are gone. Create the workspace again.",
            });
        }

        return ArmResults.Ok(new JsonObject { ["value"] = value });
    }
}
