using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>
/// The storage accounts of the workspaces as resources of their own: <c>az storage</c> looks accounts and keys up here. They are made with
/// their workspace; creating, changing and regenerating keys are refused by name.
/// </summary>
internal static class StorageAccountRoutes
{
    private const string Type = "Microsoft.Storage/storageAccounts";
    private const string InSubscription = "/subscriptions/{subscriptionId}/providers/" + Type;
    private const string InGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/" + Type;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var accounts = endpoints.MapGroup("");
        accounts.AddEndpointFilter(ResourceGroupRoutes.OnlyOurSubscriptionAsync);
        accounts.MapGet(InSubscription, ListAsync).RequiresWithin(Type + "/read");
        accounts.MapGet(InGroup, ListAsync).RequiresWithin(Type + "/read");
        accounts.MapGet(InGroup + "/{accountName}", GetAsync).Requires(Type + "/read");
        accounts.MapPost(InGroup + "/{accountName}/listKeys", ListKeysAsync).Requires(Type + "/listKeys/action");
        accounts.MapDelete(InGroup + "/{accountName}", DeleteAsync).Requires(Type + "/delete");
        accounts.MapPut(InGroup + "/{accountName}", () => Refuse("creating storage accounts: each comes with its workspace")).Requires(Type + "/write");
        accounts.MapPatch(InGroup + "/{accountName}", () => Refuse("changing storage accounts")).Requires(Type + "/write");
        accounts.MapPost(InGroup + "/{accountName}/regenerateKey", () => Refuse("regenerating the keys of storage accounts")).Requires(Type + "/regenerateKey/action");
    }

    /// <summary>The account as a resource.</summary>
    public static JsonObject Render(HttpContext context, StorageAccount account, string location) => new()
    {
        ["id"] = account.Scope.Value,
        ["name"] = account.Name,
        ["type"] = Type,
        ["location"] = location,
        ["kind"] = "StorageV2",
        ["sku"] = new JsonObject { ["name"] = "Standard_LRS", ["tier"] = "Standard" },
        ["tags"] = new JsonObject(),
        ["properties"] = new JsonObject
        {
            ["provisioningState"] = "Succeeded",
            ["creationTime"] = ResourceDocument.Wire(account.CreatedAt),
            ["primaryLocation"] = location,
            ["statusOfPrimary"] = "available",
            ["supportsHttpsTrafficOnly"] = true,
            ["allowBlobPublicAccess"] = false,
            ["allowSharedKeyAccess"] = true,
            ["isHnsEnabled"] = false,
            ["primaryEndpoints"] = new JsonObject { ["blob"] = context.PublicUrls().Blob(context, account.Name) + "/" },
        },
    };

    private static async Task<IResult> ListAsync(HttpContext context, IStorageAccounts accounts, WorkspaceRows rows, IAuthorizer authorizer, CancellationToken ct)
    {
        var places = await LocationsAsync(rows, ct);
        var found = await accounts.ListAsync(context.Request.Path.Value![..(context.Request.Path.Value!.LastIndexOf("/providers/", StringComparison.OrdinalIgnoreCase) + 1)], ct);
        var seen = new List<JsonNode>();
        foreach (var account in found)
        {
            if (await authorizer.AllowsAsync(context.Caller(), Type + "/read", account.Scope, isDataAction: false, ct))
            {
                seen.Add(Render(context, account, LocationOf(places, account)));
            }
        }

        return ArmResults.Page(context, seen, null);
    }

    private static async Task<IResult> GetAsync(HttpContext context, IStorageAccounts accounts, WorkspaceRows rows, CancellationToken ct) =>
        await FindAsync(context, accounts, ct) is { } found
            ? ArmResults.Ok(Render(context, found, LocationOf(await LocationsAsync(rows, ct), found)))
            : ArmResults.Problem(ArmErrors.NotFound(IdOf(context)));

    private static async Task<IResult> ListKeysAsync(HttpContext context, IStorageAccounts accounts, CancellationToken ct)
    {
        if (await FindAsync(context, accounts, ct) is not { } found)
        {
            return ArmResults.Problem(ArmErrors.NotFound(IdOf(context)));
        }

        var keys = (await accounts.GetKeysAsync(found.Name, ct)).Select((key, index) => (JsonNode)new JsonObject
        {
            ["keyName"] = $"key{index + 1}",
            ["value"] = key,
            ["permissions"] = "FULL",
            ["creationTime"] = ResourceDocument.Wire(found.CreatedAt),
        });
        return ArmResults.Ok(new JsonObject { ["keys"] = new JsonArray([.. keys]) });
    }

    /// <summary>As on Azure: its workspace, if it still exists, is without storage from then on. The SDK does it before it deletes the workspace.</summary>
    private static async Task<IResult> DeleteAsync(HttpContext context, IStorageAccounts accounts, IDatabase database, CancellationToken ct)
    {
        if (await FindAsync(context, accounts, ct) is not { } found)
        {
            return ArmResults.NoContent();
        }

        await database.WriteAsync(
            scope =>
            {
                if (accounts.Remove(scope, found.Name))
                {
                    scope.Append(new NewEvent(context.Caller().ObjectId, Type + "/delete", found.Scope.Value));
                }
            },
            ct);
        await accounts.EraseAsync(found.Name);
        return Results.Ok();
    }

    private static async Task<StorageAccount?> FindAsync(HttpContext context, IStorageAccounts accounts, CancellationToken ct) =>
        await accounts.FindAsync(IdOf(context).Name.ToLowerInvariant(), ct) is { } found && found.Scope == IdOf(context) ? found : null;

    private static ArmId IdOf(HttpContext context)
    {
        var route = context.Request.RouteValues;
        return new($"/subscriptions/{route["subscriptionId"]}/resourceGroups/{route["resourceGroupName"]}/providers/{Type}/{route["accountName"]}");
    }

    private static async Task<Dictionary<string, string>> LocationsAsync(WorkspaceRows rows, CancellationToken ct) =>
        (await rows.ListAsync("/", null, 0, int.MaxValue, ct)).ToDictionary(row => row.Account, row => row.Location, StringComparer.Ordinal);

    private static string LocationOf(Dictionary<string, string> places, StorageAccount account) => places.GetValueOrDefault(account.Name, WorkspaceStore.DefaultLocation);

    private static IResult Refuse(string what) => ArmResults.Problem(ArmErrors.Unsupported(what));
}
