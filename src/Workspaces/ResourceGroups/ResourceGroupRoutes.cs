using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Database;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

/// <summary>Resource groups: list, get, exists, create or update, tags, delete with everything in them.</summary>
internal static partial class ResourceGroupRoutes
{
    private const string Action = "Microsoft.Resources/subscriptions/resourceGroups/";
    private const int PageSize = 100;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var groups = endpoints.MapGroup("/subscriptions/{subscriptionId}/resourcegroups");
        groups.AddEndpointFilter(OnlyOurSubscriptionAsync);
        groups.MapGet("", ListAsync).RequiresWithin(Action + "read");
        groups.MapGet("{resourceGroupName}", GetAsync).Requires(Action + "read");
        groups.MapMethods("{resourceGroupName}", [HttpMethods.Head], ExistsAsync).Requires(Action + "read");
        groups.MapPut("{resourceGroupName}", PutAsync).Requires(Action + "write");
        groups.MapPatch("{resourceGroupName}", PatchAsync).Requires(Action + "write");
        groups.MapDelete("{resourceGroupName}", DeleteAsync).Requires(Action + "delete");
    }

    internal static async ValueTask<object?> OnlyOurSubscriptionAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var owner = (LocalOwner)context.HttpContext.RequestServices.GetService(typeof(LocalOwner))!;
        var id = (string)context.HttpContext.GetRouteValue("subscriptionId")!;
        return id.Equals(owner.SubscriptionId, StringComparison.OrdinalIgnoreCase)
            ? await next(context)
            : ArmResults.Problem(new Problem(ProblemKind.NotFound, "SubscriptionNotFound", $"The subscription '{id}' could not be found."));
    }

    private static ArmId IdOf(HttpContext context) =>
        new($"/subscriptions/{context.GetRouteValue("subscriptionId")}/resourceGroups/{context.GetRouteValue("resourceGroupName")}");

    private static async Task<IResult> ListAsync(HttpContext context, string subscriptionId, IResources resources, IAuthorizer authorizer, CancellationToken ct)
    {
        var query = context.Request.Query;
        var filter = TagFilter().Match(query["$filter"].ToString());
        var top = query["$top"].ToString();
        var size = PageSize;
        if (!filter.Success || (top.Length > 0 && (!int.TryParse(top, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size == 0)))
        {
            return ArmResults.Problem(ArmErrors.Invalid("'$filter' may be tagName eq '...' and tagValue eq '...'; '$top' is a positive number.", "$filter", "InvalidFilterInQueryString"));
        }

        var page = await resources.ListAsync(
            new ResourceQuery
            {
                Parent = new ArmId("/subscriptions/" + subscriptionId),
                Type = "resourceGroups",
                Top = Math.Min(size, PageSize),
                Continuation = query["$skip"].ToString() is { Length: > 0 } next ? next : null,
                Where = group => !filter.Groups["name"].Success
                    || (group.Document.Object("tags")?.Text(filter.Groups["name"].Value) is { } value && (!filter.Groups["value"].Success || value == filter.Groups["value"].Value)),
            },
            ct);
        var seen = new List<JsonNode>();
        foreach (var group in page.Items)
        {
            // A role on something in a group shows the group.
            if (await authorizer.AllowsAsync(context.Caller(), Action + "read", group.Id, isDataAction: false, ct) || await authorizer.AllowsBelowAsync(context.Caller(), Action + "read", group.Id, ct))
            {
                seen.Add(Render(group));
            }
        }

        return ArmResults.Page(context, seen, page.Next);
    }

    private static async Task<IResult> GetAsync(HttpContext context, IResources resources, CancellationToken ct) =>
        await resources.FindAsync(IdOf(context), ct) is { } found ? ArmResults.Ok(Render(found)) : ArmResults.Problem(NotFound(IdOf(context)));

    private static async Task<IResult> ExistsAsync(HttpContext context, IResources resources, CancellationToken ct) =>
        await resources.FindAsync(IdOf(context), ct) is null ? Results.StatusCode(StatusCodes.Status404NotFound) : ArmResults.NoContent();

    private static async Task<IResult> PutAsync(HttpContext context, IDatabase database, IResources resources, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var id = IdOf(context);
        if (Problems(id, body) is { Count: > 0 } problems)
        {
            return ArmResults.Problem(Problem.Combine(problems));
        }

        var document = new JsonObject { ["location"] = body.Text("location"), ["tags"] = body["tags"]?.DeepClone() ?? new JsonObject() };
        var (created, after) = await database.WriteAsync(
            scope =>
            {
                var before = resources.Find(scope, id);
                var moved = before is not null && !string.Equals(before.Document.Text("location"), body.Text("location"), StringComparison.OrdinalIgnoreCase);
                return moved
                    ? throw new ProblemException(ArmErrors.Conflict($"The resource group '{id.Name}' is in location '{before!.Document.Text("location")}' and cannot move.", "InvalidResourceGroupLocation"))
                    : (before is null, resources.Put(scope, before?.Id ?? id, document, context.Caller()));
            },
            ct);
        return ArmResults.Json(created ? StatusCodes.Status201Created : StatusCodes.Status200OK, Render(after));
    }

    private static async Task<IResult> PatchAsync(HttpContext context, IDatabase database, IResources resources, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem) || (problem = TagProblem(body)) is not null)
        {
            return ArmResults.Problem(problem);
        }

        var id = IdOf(context);
        var after = await database.WriteAsync(
            scope =>
            {
                var before = resources.Find(scope, id) ?? throw new ProblemException(NotFound(id));
                var document = before.Document.Copy();
                document["tags"] = body["tags"]?.DeepClone() ?? document["tags"]?.DeepClone();
                return resources.Put(scope, before.Id, document, context.Caller());
            },
            ct);
        return ArmResults.Ok(Render(after));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, IDatabase database, IResources resources, WorkspaceStore store, CancellationToken ct)
    {
        var id = IdOf(context);
        if (await resources.FindAsync(id, ct) is null)
        {
            return ArmResults.Problem(NotFound(id));
        }

        // Newest first: a project goes before its hub.
        foreach (var workspace in (await store.ListAsync(ct)).Where(found => found.Ref.Id.Key.StartsWith(id.Key + "/", StringComparison.Ordinal)).Reverse())
        {
            await store.DeleteAsync(workspace.Ref, context.Caller(), default, ct);
        }

        await database.WriteAsync(scope => resources.Delete(scope, id, context.Caller()), ct);
        return ArmResults.Json(StatusCodes.Status200OK, null);
    }

    private static List<Problem> Problems(ArmId id, JsonObject body)
    {
        var problems = new List<Problem>();
        if (!GroupName().IsMatch(id.Name))
        {
            problems.Add(ArmErrors.Invalid("A resource group's name has 1 to 90 letters, digits, '_', '-', '.', '(' or ')', and does not end with a period.", "name", "InvalidResourceGroup"));
        }

        if (body["location"]?.GetValueKind() != System.Text.Json.JsonValueKind.String || body.Text("location")!.Length == 0)
        {
            problems.Add(ArmErrors.Invalid("The location property is required for this definition.", "location", "LocationRequired"));
        }

        return TagProblem(body) is { } tags ? [.. problems, tags] : problems;
    }

    private static Problem? TagProblem(JsonObject body) =>
        body["tags"] is null || (body["tags"] is JsonObject tags && tags.All(tag => tag.Value?.GetValueKind() == System.Text.Json.JsonValueKind.String))
            ? null
            : ArmErrors.Invalid("'tags' is an object of strings.", "tags", "InvalidTags");

    private static Problem NotFound(ArmId id) => new(ProblemKind.NotFound, "ResourceGroupNotFound", $"Resource group '{id.Name}' could not be found.");

    private static JsonObject Render(Resource group) => new()
    {
        ["id"] = group.Id.Value,
        ["name"] = group.Id.Name,
        ["type"] = "Microsoft.Resources/resourceGroups",
        ["location"] = group.Document.Text("location"),
        ["tags"] = group.Document["tags"]?.DeepClone(),
        ["properties"] = new JsonObject { ["provisioningState"] = "Succeeded" },
    };

    [GeneratedRegex(@"^[-\w.()]{0,89}[-\w()]\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex GroupName();

    [GeneratedRegex(@"^\s*$|^\s*tagName\s+eq\s+'(?<name>[^']*)'(\s+and\s+tagValue\s+eq\s+'(?<value>[^']*)')?\s*$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TagFilter();
}
