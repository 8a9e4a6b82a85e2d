using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>Who calls, and whether they may do what a route requires.</summary>
internal sealed class AccessCheck(IAuthenticator authenticator, IAuthorizer authorizer)
{
    /// <summary>The caller, or why the request is refused.</summary>
    public async Task<Outcome<Caller>> OfAsync(HttpContext context, RequiredAction required)
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
        return await authorizer.AllowsAsync(caller, required.Action, scope, required.IsData, context.RequestAborted)
            || (required.OrBelow && await authorizer.AllowsBelowAsync(caller, required.Action, RequestScope.ListedIn(scope), context.RequestAborted))
                ? caller
                : ArmErrors.Forbidden(caller, required.Action, scope);
    }

    private static string? BearerToken(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
    }
}
