using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Everything that a subscription or group holds as a resource of its own: workspaces, their storage accounts and their endpoints.</summary>
internal static class ResourceListRoutes
{
    private const string Read = "Microsoft.Resources/subscriptions/resources/read";
    private const int PageSize = 1000;
    private static readonly string[] Tracked = ["onlineEndpoints", "batchEndpoints"];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var subscription = endpoints.MapGroup("/subscriptions/{subscriptionId}");
        subscription.AddEndpointFilter(ResourceGroupRoutes.OnlyOurSubscriptionAsync);
        subscription.MapGet("resources", ListAsync).RequiresWithin(Read);
        subscription.MapGet("resourcegroups/{resourceGroupName}/resources", ListAsync).RequiresWithin("Microsoft.Resources/subscriptions/resourceGroups/resources/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, WorkspaceRows rows, IResources resources, IStorageAccounts accounts, IAuthorizer authorizer, CancellationToken ct)
    {
        var query = context.Request.Query;
        if (!ResourceFilter.Parse(query["$filter"].ToString()).TryGet(out var filter, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        if (Number(query["$top"], PageSize) is not { } top || top == 0 || Number(query["$skip"], 0) is not { } skip)
        {
            return ArmResults.Problem(ArmErrors.Invalid("'$top' is a positive number, and '$skip' a continuation this server gave out.", "$top", "InvalidQueryParameterValue"));
        }

        var route = context.Request.RouteValues;
        var scope = $"/subscriptions/{route["subscriptionId"]}";
        if (route["resourceGroupName"] is { } group)
        {
            scope += $"/resourceGroups/{group}";
            if (await resources.FindAsync(new ArmId(scope), ct) is null)
            {
                return ArmResults.Problem(new Problem(ProblemKind.NotFound, "ResourceGroupNotFound", $"Resource group '{group}' could not be found."));
            }
        }

        var found = new List<JsonObject>();
        foreach (var item in (await AllAsync(context, scope + "/", rows, resources, accounts, ct)).Where(filter.Matches))
        {
            if (await authorizer.AllowsAsync(context.Caller(), Read, new ArmId(item.Text("id")!), isDataAction: false, ct))
            {
                found.Add(item);
            }
        }

        found.RemoveRange(0, Math.Min(skip, found.Count));
        var size = Math.Min(top, PageSize);
        return ArmResults.Page(context, found.Take(size), found.Count > size ? (skip + size).ToString(CultureInfo.InvariantCulture) : null);
    }

    private static async Task<List<JsonObject>> AllAsync(HttpContext context, string prefix, WorkspaceRows rows, IResources resources, IStorageAccounts accounts, CancellationToken ct)
    {
        var all = new List<JsonObject>();
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in await rows.ListAsync(prefix, null, 0, int.MaxValue, ct))
        {
            places[row.Account] = row.Location;
            if (await resources.FindAsync(new ArmId(row.Id), ct) is not { } workspace)
            {
                continue;
            }

            all.Add(Render(workspace, workspace.Id.Name, row.Location));
            foreach (var type in Tracked)
            {
                var children = await resources.ListAsync(new ResourceQuery { Parent = workspace.Id, Type = type, Top = int.MaxValue - 1 }, ct);
                all.AddRange(children.Items.Select(child => Render(child, $"{workspace.Id.Name}/{child.Id.Name}", child.Document.Text("location") ?? row.Location)));
            }
        }

        foreach (var account in await accounts.ListAsync(prefix, ct))
        {
            var item = StorageAccountRoutes.Render(context, account, places.GetValueOrDefault(account.Name, WorkspaceStore.DefaultLocation));
            item.Remove("properties");
            item["createdTime"] = ResourceDocument.Wire(account.CreatedAt);
            item["changedTime"] = ResourceDocument.Wire(account.CreatedAt);
            item["provisioningState"] = "Succeeded";
            all.Add(item);
        }

        return all;
    }

    private static JsonObject Render(Resource resource, string name, string location)
    {
        var item = new JsonObject
        {
            ["id"] = resource.Id.Value,
            ["name"] = name,
            ["type"] = resource.Id.Type,
            ["location"] = location,
            ["tags"] = resource.Document["tags"]?.DeepClone() ?? new JsonObject(),
            ["createdTime"] = ResourceDocument.Wire(resource.CreatedAt),
            ["changedTime"] = ResourceDocument.Wire(resource.LastModifiedAt),
            ["provisioningState"] = resource.Properties.Text("provisioningState") ?? "Succeeded",
        };
        foreach (var member in (ReadOnlySpan<string>)["kind", "sku", "identity"])
        {
            if (resource.Document[member] is { } value)
            {
                item[member] = value.DeepClone();
            }
        }

        return item;
    }

    private static int? Number(string? text, int absent) => string.IsNullOrEmpty(text)
        ? absent
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
