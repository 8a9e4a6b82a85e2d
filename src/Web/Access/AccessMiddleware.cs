using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>
/// Authenticates and authorizes every routed request before its handler runs: a route without a declaration is refused,
/// and a caller without the role action gets 403 whether or not the resource exists.
/// </summary>
internal sealed class AccessMiddleware(RequestDelegate next, IAuthenticator authenticator, IAuthorizer authorizer)
{
    public async Task InvokeAsync(HttpContext context)
    {
        // Routing's own answers (no route, wrong method, wrong content type) are no RouteEndpoint and reach nothing.
        if (context.GetEndpoint() is not RouteEndpoint endpoint || endpoint.Metadata.GetMetadata<AccessExemption>() is not null)
        {
            await next(context);
            return;
        }

        var required = endpoint.Metadata.GetMetadata<RequiredAction>()
            ?? throw new InvalidOperationException($"The route '{endpoint.RoutePattern.RawText}' declares neither a role action nor an exemption.");
        var problem = await CheckAsync(context, required);
        await (problem is null ? next(context) : Refusal(endpoint, problem).ExecuteAsync(context));
    }

    private async Task<Problem?> CheckAsync(HttpContext context, RequiredAction required)
    {
        if (BearerToken(context.Request) is not { } bearer)
        {
            return ArmErrors.Unauthenticated("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing or is not a bearer token.");
        }

        if (!(await authenticator.AuthenticateAsync(bearer, Surface.Management, context.RequestAborted)).TryGet(out var caller, out var problem))
        {
            return problem;
        }

        var scope = RequestScope.Of(context);
        if (!await authorizer.AllowsAsync(caller, required.Action, scope, required.IsData, context.RequestAborted)
            && !(required.OrBelow && await authorizer.AllowsBelowAsync(caller, required.Action, RequestScope.ListedIn(scope), context.RequestAborted)))
        {
            return ArmErrors.Forbidden(caller, required.Action, scope);
        }

        context.SetCaller(caller);
        return null;
    }

    private static IResult Refusal(RouteEndpoint endpoint, Problem problem) =>
        endpoint.Metadata.GetMetadata<IProblemShape>()?.Render(problem) ?? ArmResults.Problem(problem);

    private static string? BearerToken(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
    }
}
