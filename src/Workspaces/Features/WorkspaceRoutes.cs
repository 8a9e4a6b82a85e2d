using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>The workspace itself: get, lists, create or update, update, delete. PUT and PATCH answer 200, never 201: clients accept nothing else.</summary>
internal static class WorkspaceRoutes
{
    private const int PageSize = 30;
    private const string InSubscription = "/subscriptions/{subscriptionId}/providers/" + Routes.Provider + "/workspaces";
    private const string InGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/" + Routes.Provider + "/workspaces";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(InSubscription, ListAsync).RequiresWithin("workspaces/read");
        endpoints.MapGet(InGroup, ListAsync).RequiresWithin("workspaces/read");
        var workspace = endpoints.MapWorkspace();
        workspace.MapGet("", GetAsync).Requires("workspaces/read");
        workspace.MapPut("", PutAsync).Requires("workspaces/write");
        workspace.MapPatch("", PatchAsync).Requires("workspaces/write");
        workspace.MapDelete("", DeleteAsync).Requires("workspaces/delete");
    }

    private static async Task<IResult> GetAsync(HttpContext context, WorkspaceRef workspace, IResources resources, WorkspaceRows rows, CancellationToken ct) =>
        await resources.FindAsync(workspace.Id, ct) is { } found && await rows.FindAsync(workspace.Id, ct) is { } row
            ? ArmResults.Ok(await RenderAsync(context, found, row.ToWorkspace(), rows, ct), found.ETag)
            : ArmResults.Problem(ArmErrors.NotFound(workspace.Id));

    private static async Task<JsonObject> RenderAsync(HttpContext context, Resource resource, Workspace workspace, WorkspaceRows rows, CancellationToken ct)
    {
        var answer = WorkspaceDocument.Render(context, resource, workspace);
        if (WorkspaceKind.Of(resource.Document) == WorkspaceKind.Hub)
        {
            answer["properties"]!["associatedWorkspaces"] = new JsonArray([.. (await rows.ProjectsAsync(resource.Id, ct)).Select(id => (JsonNode)id)]);
        }

        return answer;
    }

    private static async Task<IResult> ListAsync(HttpContext context, WorkspaceRows rows, IResources resources, IAuthorizer authorizer, CancellationToken ct)
    {
        var skip = context.Request.Query["$skip"].ToString();
        if (!long.TryParse(skip.Length == 0 ? "0" : skip, NumberStyles.None, CultureInfo.InvariantCulture, out var after))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'{skip}' is not a continuation this server gave out.", "$skip"));
        }

        var route = context.Request.RouteValues;
        var prefix = $"/subscriptions/{route["subscriptionId"]}/" + (route["resourceGroupName"] is { } group ? $"resourceGroups/{group}/" : "");
        var kinds = context.Request.Query["kind"].SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        if (kinds.Find(kind => WorkspaceKind.Canonical(kind) is null) is { } unknown)
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'{unknown}' is no kind of workspace; the kinds are {string.Join(", ", WorkspaceKind.All)}.", "kind"));
        }

        var found = await rows.ListAsync(prefix, kinds.Count == 0 ? null : [.. kinds.Select(kind => WorkspaceKind.Canonical(kind)!)], after, PageSize + 1, ct);
        var items = new List<JsonNode>();
        foreach (var row in found.Take(PageSize))
        {
            var workspace = row.ToWorkspace();
            if (await authorizer.AllowsAsync(context.Caller(), Routes.Provider + "/workspaces/read", workspace.Ref.Id, isDataAction: false, ct)
                && await resources.FindAsync(workspace.Ref.Id, ct) is { } resource)
            {
                items.Add(await RenderAsync(context, resource, workspace, rows, ct));
            }
        }

        return ArmResults.Page(context, items, found.Count > PageSize ? found[PageSize - 1].Sequence.ToString(CultureInfo.InvariantCulture) : null);
    }

    private static async Task<IResult> PutAsync(HttpContext context, WorkspaceRef workspace, PutWorkspace put, IResources resources, WorkspaceRows rows, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        return (await put.PutAsync(context.Caller(), workspace, body, context.PutCondition(), ct)).Problem is { } problem
            ? ArmResults.Problem(problem)
            : await GetAsync(context, workspace, resources, rows, ct);
    }

    private static async Task<IResult> PatchAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var unreadable))
        {
            return ArmResults.Problem(unreadable);
        }

        return WorkspaceDocument.Problems(body, workspace.Name) is { Count: > 0 } problems
            ? ArmResults.Problem(Problem.Combine(problems))
            : await WriteAsync(context, workspace, stored => WorkspaceDocument.Patched(stored, body), ct);
    }

    private static async Task<IResult> WriteAsync(HttpContext context, WorkspaceRef workspace, Func<JsonObject, JsonObject> change, CancellationToken ct)
    {
        var services = context.RequestServices;
        var resources = (IResources)services.GetService(typeof(IResources))!;
        var database = (IDatabase)services.GetService(typeof(IDatabase))!;
        await database.WriteAsync(
            scope =>
            {
                var present = resources.Find(scope, workspace.Id) ?? throw new ProblemException(ArmErrors.NotFound(workspace.Id));
                resources.Put(scope, present.Id, change(present.Document), context.Caller(), context.PutCondition());
            },
            ct);
        return await GetAsync(context, workspace, resources, (WorkspaceRows)services.GetService(typeof(WorkspaceRows))!, ct);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, WorkspaceRef workspace, WorkspaceStore store, CancellationToken ct) =>
        context.Request.Query["forceToPurge"].ToString() is { Length: > 0 } purge && !bool.TryParse(purge, out _)
            ? ArmResults.Problem(ArmErrors.Invalid($"'forceToPurge' is true or false; it is '{purge}'.", "forceToPurge"))
            : await store.DeleteAsync(workspace, context.Caller(), context.PutCondition(), ct) ? Results.Ok() : ArmResults.NoContent();
}
