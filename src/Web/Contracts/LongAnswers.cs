using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Kernel;

namespace Zaffre.Web;

/// <summary>Answers that go on for hours: what let the request in may no longer hold.</summary>
public static class LongAnswers
{
    /// <summary>
    /// Asks again what was asked when the request came: is the token still good, and does a role still allow the route's action? Null when so, else why not
    /// (<c>ExpiredAuthenticationToken</c>, <c>AuthorizationFailed</c>, ...).
    /// </summary>
    public static async Task<Problem?> CheckAccessAgainAsync(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var required = (context.GetEndpoint() as RouteEndpoint)?.Metadata.GetMetadata<RequiredAction>() ?? throw new InvalidOperationException("This route requires no role action.");
        var check = new AccessCheck(context.RequestServices.GetRequiredService<IAuthenticator>(), context.RequestServices.GetRequiredService<IAuthorizer>());
        return (await check.OfAsync(context, required)).Problem;
    }
}
