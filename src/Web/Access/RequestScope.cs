using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Zaffre.Web;

/// <summary>The scope on which a request's action is checked: the resource id its path names, from the subscription on.</summary>
internal static class RequestScope
{
    public static ArmId Of(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<IScopeOfRequest>() is { } custom)
        {
            return custom.ScopeOf(context);
        }

        var path = (context.Request.Path.Value ?? "").TrimEnd('/');
        var start = path.IndexOf("/subscriptions/", StringComparison.OrdinalIgnoreCase);
        return new ArmId(start < 0 ? "/" : path[start..]);
    }
}
