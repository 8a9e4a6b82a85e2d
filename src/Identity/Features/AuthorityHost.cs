using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Zaffre.Web;

namespace Zaffre.Identity.Features;

/// <summary>The hosts under which the authority answers, and its absolute URLs in the form the client can reach.</summary>
internal static class AuthorityHost
{
    public const string Azure = "login.microsoftonline.com";

    /// <summary>Every host but those of storage accounts, whose whole path space is blobs.</summary>
    private static readonly string[] Hosts = [Azure, "login.windows.net", "management.azure.com", "localhost", "127.0.0.1"];

    /// <summary>Scheme and host of the authority for this request, without a trailing slash.</summary>
    public static string Login(HttpContext context) =>
        IsAzure(context) ? "https://" + Azure : context.PublicUrls().Base(context);

    public static bool IsAzure(HttpContext context) =>
        context.Request.Host.Host.EndsWith(".microsoftonline.com", StringComparison.OrdinalIgnoreCase)
        || context.Request.Host.Host.Equals("login.windows.net", StringComparison.OrdinalIgnoreCase)
        || context.Request.Host.Host.Equals("management.azure.com", StringComparison.OrdinalIgnoreCase);

    /// <summary>Nobody needs a token here, and storage hosts are left alone.</summary>
    public static void Open(this RouteHandlerBuilder route) => route.Anonymous().RequireHost(Hosts);
}
