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

    /// <summary>What a list's path lists from: the resource group that it names, else the subscription.</summary>
    public static ArmId ListedIn(ArmId scope)
    {
        var parts = scope.Value.Split('/');
        return parts.Length > 4 && parts[3].Equals("resourceGroups", StringComparison.OrdinalIgnoreCase)
            ? new ArmId(string.Join('/', parts.Take(5)))
            : new ArmId(string.Join('/', parts.Take(3)));
    }
}
