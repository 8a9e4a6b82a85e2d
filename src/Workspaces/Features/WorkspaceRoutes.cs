using System.Globalization;
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

/// <summary>The workspace itself: get, lists, create or update, update, delete, keys. PUT and PATCH answer 200, never 201: clients accept nothing else.</summary>
internal static class WorkspaceRoutes
{
    private const int PageSize = 30;
    private const string InSubscription = "/subscriptions/{subscriptionId}/providers/" + Routes.Provider + "/workspaces";
    private const string InGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/" + Routes.Provider + "/workspaces";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(InSubscription, ListAsync).Requires("workspaces/read");
        endpoints.MapGet(InGroup, ListAsync).Requires("workspaces/read");
        var workspace = endpoints.MapWorkspace();
        workspace.MapGet("", GetAsync).Requires("workspaces/read");
        workspace.MapPut("", PutAsync).Requires("workspaces/write");
        workspace.MapPatch("", PatchAsync).Requires("workspaces/write");
        workspace.MapDelete("", DeleteAsync).Requires("workspaces/delete");
        workspace.MapPost("listKeys", ListKeysAsync).Requires("workspaces/listKeys/action");
        workspace.MapGet("connections", (HttpContext context) => ArmResults.Page(context, [], null)).Requires("workspaces/connections/read");
    }

    private static async Task<IResult> GetAsync(HttpContext context, WorkspaceRef workspace, IResources resources, IWorkspaces workspaces, CancellationToken ct) =>
        await resources.FindAsync(workspace.Id, ct) is { } found && await workspaces.FindAsync(workspace, ct) is { } row
            ? ArmResults.Ok(WorkspaceDocument.Render(context, found, row), found.ETag)
            : ArmResults.Problem(ArmErrors.NotFound(workspace.Id));

    private static async Task<IResult> ListAsync(HttpContext context, WorkspaceRows rows, IResources resources, CancellationToken ct)
    {
        var skip = context.Request.Query["$skip"].ToString();
        if (!long.TryParse(skip.Length == 0 ? "0" : skip, NumberStyles.None, CultureInfo.InvariantCulture, out var after))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'{skip}' is not a continuation this server gave out.", "$skip"));
        }

        var route = context.Request.RouteValues;
        var prefix = $"/subscriptions/{route["subscriptionId"]}/" + (route["resourceGroupName"] is { } group ? $"resourceGroups/{group}/" : "");
        var found = await rows.ListAsync(prefix, after, PageSize + 1, ct);
        var items = new List<JsonNode>();
        foreach (var row in found.Take(PageSize))
        {
            var workspace = row.ToWorkspace();
            if (await resources.FindAsync(workspace.Ref.Id, ct) is { } resource)
            {
                items.Add(WorkspaceDocument.Render(context, resource, workspace));
            }
        }

        return ArmResults.Page(context, items, found.Count > PageSize ? found[PageSize - 1].Sequence.ToString(CultureInfo.InvariantCulture) : null);
    }

    private static async Task<IResult> PutAsync(HttpContext context, WorkspaceRef workspace, WorkspaceStore store, IResources resources, IScopes scopes, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        if (WorkspaceDocument.Problems(body, workspace.Name) is { Count: > 0 } problems)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        var group = new ArmId($"/subscriptions/{workspace.SubscriptionId}/resourceGroups/{workspace.ResourceGroup}");
        if (!await scopes.ExistsAsync(group, ct))
        {
            return ArmResults.Problem(new Problem(ProblemKind.NotFound, "ResourceGroupNotFound", $"Resource group '{workspace.ResourceGroup}' could not be found."));
        }

        var document = WorkspaceDocument.ForStore(body);
        if (await resources.FindAsync(workspace.Id, ct) is not { } existing)
        {
            await store.CreateAsync(workspace, document, context.Caller(), ct);
            return await GetAsync(context, workspace, resources, store, ct);
        }

        if (document.Text("location") is { } moved && await store.FindAsync(workspace, ct) is { } present && !moved.Equals(present.Location, StringComparison.OrdinalIgnoreCase))
        {
            return ArmResults.Problem(ArmErrors.Conflict($"The workspace '{workspace.Name}' is in location '{present.Location}' and cannot move to '{moved}'.", "InvalidResourceLocation"));
        }

        return await WriteAsync(context, workspace, existing.Id, _ => document, ct);
    }

    private static async Task<IResult> PatchAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        return WorkspaceDocument.Problems(body, workspace.Name) is { Count: > 0 } problems
            ? ArmResults.Problem(Problem.Combine(problems))
            : await WriteAsync(context, workspace, workspace.Id, stored => WorkspaceDocument.Patched(stored, body), ct);
    }

    private static async Task<IResult> WriteAsync(HttpContext context, WorkspaceRef workspace, ArmId id, Func<JsonObject, JsonObject> change, CancellationToken ct)
    {
        var services = context.RequestServices;
        var resources = (IResources)services.GetService(typeof(IResources))!;
        var database = (IDatabase)services.GetService(typeof(IDatabase))!;
        var match = context.Request.Headers.IfMatch is [{ } tag] ? tag : null;
        await database.WriteAsync(
            scope =>
            {
                var present = resources.Find(scope, id) ?? throw new ProblemException(ArmErrors.NotFound(id));
                resources.Put(scope, present.Id, change(present.Document), context.Caller(), new PutCondition(match, null));
            },
            ct);
        return await GetAsync(context, workspace, resources, (IWorkspaces)services.GetService(typeof(IWorkspaces))!, ct);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, WorkspaceRef workspace, WorkspaceStore store, CancellationToken ct) =>
        await store.DeleteAsync(workspace, context.Caller(), ct) ? Results.Ok() : ArmResults.NoContent();

    private static async Task<IResult> ListKeysAsync(WorkspaceRef workspace, IWorkspaces workspaces, IStorageAccounts accounts, CancellationToken ct)
    {
        if (!(await workspaces.GetAsync(workspace, ct)).TryGet(out var found, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        return ArmResults.Ok(new JsonObject
        {
            ["userStorageKey"] = await accounts.GetKeyAsync(found.StorageAccount, ct),
            ["userStorageResourceId"] = WorkspaceStore.AccountId(found).Value,
            ["userStorageArmId"] = WorkspaceStore.AccountId(found).Value,
            ["appInsightsInstrumentationKey"] = "",
            ["containerRegistryCredentials"] = new JsonObject(),
            ["notebookAccessKeys"] = new JsonObject(),
        });
    }
}
