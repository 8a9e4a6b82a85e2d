using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Identity.Access;
using Zaffre.Identity.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>Microsoft.Authorization at every scope that exists here: tenant, subscription, group, workspace, and a resource in a workspace.</summary>
internal static class RoleRoutes
{
    private const string Provider = "/providers/Microsoft.Authorization/";

    private static readonly string[] Scopes =
    [
        "",
        "/subscriptions/{subscriptionId}",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.MachineLearningServices/workspaces/{workspaceName}",
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.MachineLearningServices/workspaces/{workspaceName}/{resourceType}/{resourceName}",
    ];

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var scope in Scopes)
        {
            var group = endpoints.MapGroup(scope + Provider.TrimEnd('/'));
            group.AddEndpointFilter(OnlyOurSubscriptionAsync);
            group.MapGet("roleDefinitions", ListDefinitions).Requires("Microsoft.Authorization/roleDefinitions/read");
            group.MapGet("roleDefinitions/{name}", GetDefinition).Requires("Microsoft.Authorization/roleDefinitions/read");
            group.MapPut("roleDefinitions/{name}", CustomRoles).Requires("Microsoft.Authorization/roleDefinitions/write");
            group.MapDelete("roleDefinitions/{name}", CustomRoles).Requires("Microsoft.Authorization/roleDefinitions/delete");
            group.MapGet("roleAssignments", ListAssignmentsAsync).Requires("Microsoft.Authorization/roleAssignments/read");
            group.MapGet("roleAssignments/{name}", GetAssignmentAsync).Requires("Microsoft.Authorization/roleAssignments/read");
            group.MapPut("roleAssignments/{name}", PutAssignmentAsync).Requires("Microsoft.Authorization/roleAssignments/write");
            group.MapDelete("roleAssignments/{name}", DeleteAssignmentAsync).Requires("Microsoft.Authorization/roleAssignments/delete");
        }
    }

    private static async ValueTask<object?> OnlyOurSubscriptionAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var owner = (LocalOwner)context.HttpContext.RequestServices.GetService(typeof(LocalOwner))!;
        return context.HttpContext.GetRouteValue("subscriptionId") is string id && !id.Equals(owner.SubscriptionId, StringComparison.OrdinalIgnoreCase)
            ? ArmResults.Problem(new Problem(ProblemKind.NotFound, "SubscriptionNotFound", $"The subscription '{id}' could not be found."))
            : await next(context);
    }

    private static IResult ListDefinitions(HttpContext context, RoleCatalog roles)
    {
        if (RoleFilter.Parse(context.Request.Query["$filter"].ToString()) is not { } filter)
        {
            return BadFilter(context);
        }

        var found = roles.All.Where(role => filter.RoleName is null || role.Name.Equals(filter.RoleName, StringComparison.OrdinalIgnoreCase))
            .Where(_ => filter.Type is null || filter.Type.Equals("BuiltInRole", StringComparison.OrdinalIgnoreCase));
        return ArmResults.Page(context, found.Select(role => Render(ScopeOf(context), role)), null);
    }

    private static IResult GetDefinition(HttpContext context, string name, RoleCatalog roles) => roles.Find(name) is { } role
        ? ArmResults.Ok(Render(ScopeOf(context), role))
        : ArmResults.Problem(new Problem(ProblemKind.NotFound, "RoleDefinitionDoesNotExist", $"The specified role definition with ID '{name}' does not exist."));

    private static IResult CustomRoles(HttpContext context) =>
        ArmResults.Problem(ArmErrors.Unsupported($"custom role definitions ({context.Request.Method} {context.Request.Path})"));

    private static async Task<IResult> ListAssignmentsAsync(HttpContext context, RoleAssignments assignments, CancellationToken ct)
    {
        if (RoleFilter.Parse(context.Request.Query["$filter"].ToString()) is not { } filter)
        {
            return BadFilter(context);
        }

        var asked = new AssignmentRow { ScopeKey = AssignmentRow.KeyOf(ScopeOf(context).Value) };
        var found = (await assignments.ListAsync(ct))
            .Where(row => row.Covers(asked.ScopeKey) || (!filter.AtScope && asked.Covers(row.ScopeKey)))
            .Where(row => filter.PrincipalId is null || row.PrincipalId.Equals(filter.PrincipalId, StringComparison.OrdinalIgnoreCase));
        return ArmResults.Page(context, found.Select(Render), null);
    }

    private static async Task<IResult> GetAssignmentAsync(HttpContext context, string name, RoleAssignments assignments, CancellationToken ct)
    {
        var key = AssignmentRow.KeyOf(ScopeOf(context).Value);
        return (await assignments.ListAsync(ct)).FirstOrDefault(row => row.ScopeKey == key && row.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } found
            ? ArmResults.Ok(Render(found))
            : ArmResults.Problem(new Problem(ProblemKind.NotFound, "RoleAssignmentNotFound", $"The role assignment '{name}' is not found."));
    }

    private static async Task<IResult> PutAssignmentAsync(HttpContext context, string name, RoleAssignments assignments, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var put = await assignments.PutAsync(ScopeOf(context), name, body, context.Caller(), ct);
        return ArmResults.From(put, result => ArmResults.Json(result.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK, Render(result.Row)));
    }

    private static async Task<IResult> DeleteAssignmentAsync(HttpContext context, string name, RoleAssignments assignments, CancellationToken ct) =>
        await assignments.DeleteAsync(ScopeOf(context), name, context.Caller(), ct) is { } deleted ? ArmResults.Ok(Render(deleted)) : ArmResults.NoContent();

    /// <summary>What stands before <c>/providers/Microsoft.Authorization</c> in the path, in the casing of the request.</summary>
    private static ArmId ScopeOf(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var scope = path[..path.LastIndexOf(Provider, StringComparison.OrdinalIgnoreCase)];
        return new ArmId(scope.Length == 0 ? "/" : scope);
    }

    private static IResult BadFilter(HttpContext context) =>
        ArmResults.Problem(ArmErrors.Invalid($"The filter '{context.Request.Query["$filter"]}' is not supported.", "$filter", "BadRequest"));

    private static JsonObject Render(ArmId scope, RoleDefinition role) => new JsonObject
    {
        ["id"] = $"{scope.Value.TrimEnd('/')}/providers/Microsoft.Authorization/roleDefinitions/{role.Id}",
        ["name"] = role.Id,
        ["type"] = "Microsoft.Authorization/roleDefinitions",
        ["properties"] = new JsonObject
        {
            ["roleName"] = role.Name,
            ["type"] = "BuiltInRole",
            ["permissions"] = JsonNode.Parse(role.Permissions.GetRawText()),
            ["assignableScopes"] = JsonNode.Parse(role.AssignableScopes.GetRawText()),
        },
    };

    private static JsonObject Render(AssignmentRow row) => new JsonObject
    {
        ["id"] = $"{row.Scope.TrimEnd('/')}/providers/Microsoft.Authorization/roleAssignments/{row.Name}",
        ["name"] = row.Name,
        ["type"] = "Microsoft.Authorization/roleAssignments",
        ["properties"] = new JsonObject
        {
            ["roleDefinitionId"] = $"{SubscriptionOf(row.Scope)}/providers/Microsoft.Authorization/roleDefinitions/{row.RoleId}",
            ["principalId"] = row.PrincipalId,
            ["principalType"] = row.PrincipalType,
            ["scope"] = row.Scope,
            ["description"] = row.Description,
            ["condition"] = null,
            ["conditionVersion"] = null,
            ["createdOn"] = Time(row.CreatedAt),
            ["updatedOn"] = Time(row.UpdatedAt),
            ["createdBy"] = row.CreatedBy,
            ["updatedBy"] = row.CreatedBy,
        },
    };

    private static string SubscriptionOf(string scope) => string.Join('/', scope.TrimEnd('/').Split('/').Take(3));

    private static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ");
}
