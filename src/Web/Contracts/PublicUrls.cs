using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Zaffre.Web;

/// <summary>Where the listeners are reachable. Ports are known once they are bound.</summary>
public sealed class ServerAddress
{
    /// <summary>The port of the control plane.</summary>
    public int Port { get; set; } = 8443;

    /// <summary>The port of the gateway.</summary>
    public int GatewayPort { get; set; } = 8444;

    /// <summary>The port of the CONNECT listener.</summary>
    public int ProxyPort { get; set; } = 8888;
}

/// <summary>Builds absolute URLs per answer: from the request's host when it is one of ours, else from the public base URL.</summary>
public interface IPublicUrls
{
    /// <summary>Scheme and host without a trailing slash, for the control and data planes.</summary>
    string Base(HttpContext? context);

    /// <summary>Scheme and host of a storage account's blob service, in the form the request's client can reach.</summary>
    string Blob(HttpContext? context, string account);

    /// <summary>Scheme and host of the gateway.</summary>
    string Gateway(HttpContext? context);
}

/// <summary>Access to <see cref="IPublicUrls"/> from a request.</summary>
public static class PublicUrlsFeature
{
    public static IPublicUrls PublicUrls(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.RequestServices.GetRequiredService<IPublicUrls>();
    }
}
