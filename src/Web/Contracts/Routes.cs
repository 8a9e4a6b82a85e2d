using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Web;

/// <summary>How routes are declared: every one says the role action it requires, or that it is anonymous, or that it authenticates itself.</summary>
public static class Routes
{
    /// <summary>The provider namespace that actions without one get.</summary>
    public const string Provider = "Microsoft.MachineLearningServices";

    /// <summary>A group at <c>{prefix}/subscriptions/.../workspaces/{workspaceName}</c>; its routes answer 404 when the workspace does not exist (after authorization).</summary>
    public static RouteGroupBuilder MapWorkspace(this IEndpointRouteBuilder endpoints, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var group = endpoints.MapGroup($"{prefix}/subscriptions/{{subscriptionId}}/resourceGroups/{{resourceGroupName}}/providers/{Provider}/workspaces/{{workspaceName}}");
        group.AddEndpointFilterFactory((factory, next) => async context =>
        {
            var http = context.HttpContext;
            var workspace = await WorkspaceRef.BindAsync(http);
            var itself = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText?.TrimEnd('/').EndsWith("{workspaceName}", StringComparison.Ordinal) ?? false;
            return workspace is null || itself || await http.RequestServices.GetRequiredService<IScopes>().ExistsAsync(workspace.Id, http.RequestAborted)
                ? await next(context)
                : ArmResults.Problem(ArmErrors.NotFound(workspace.Id));
        });
        return group;
    }

    /// <summary>The caller needs <paramref name="action"/> on the scope that the path names (the workspace; for routes outside one, the path itself).</summary>
    public static TBuilder Requires<TBuilder>(this TBuilder builder, string action)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredAction(Full(action), IsData: false));

    /// <summary>
    /// A list: the caller needs <paramref name="action"/> on the scope that the path names, or on something below it. The handler shows what the
    /// caller may read and nothing else.
    /// </summary>
    public static TBuilder RequiresWithin<TBuilder>(this TBuilder builder, string action)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredAction(Full(action), IsData: false) { OrBelow = true });

    /// <summary>As <see cref="Requires"/>, for a data action.</summary>
    public static TBuilder RequiresData<TBuilder>(this TBuilder builder, string action)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredAction(Full(action), IsData: true));

    /// <summary>Nobody needs a token here. The list of such routes is pinned by a test.</summary>
    public static TBuilder Anonymous<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(AccessExemption.Anonymous);

    /// <summary>The route authenticates and authorizes by its own protocol (blobs). The list of such routes is pinned by a test.</summary>
    public static TBuilder OwnAuthentication<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(AccessExemption.Own);

    private static string Full(string action) =>
        action.Contains('.', StringComparison.Ordinal) ? action : $"{Provider}/{action}";
}

/// <summary>The role action a route requires; endpoint metadata.</summary>
public sealed record RequiredAction(string Action, bool IsData)
{
    /// <summary>Whether the action on something below the scope is enough.</summary>
    public bool OrBelow { get; init; }
}

/// <summary>Why a route requires no role action; endpoint metadata.</summary>
public sealed record AccessExemption(string Reason)
{
    public static AccessExemption Anonymous { get; } = new("anonymous");

    public static AccessExemption Own { get; } = new("own");
}
