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
    private readonly AccessCheck check = new(authenticator, authorizer);

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
        if (!(await check.OfAsync(context, required)).TryGet(out var caller, out var problem))
        {
            return problem;
        }

        context.SetCaller(caller);
        return null;
    }

    private static IResult Refusal(RouteEndpoint endpoint, Problem problem) =>
        endpoint.Metadata.GetMetadata<IProblemShape>()?.Render(problem) ?? ArmResults.Problem(problem);
}
