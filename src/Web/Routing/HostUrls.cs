using Microsoft.AspNetCore.Http;

namespace Zaffre.Web;

internal sealed class HostUrls(ServerAddress address) : IPublicUrls
{
    private const string Management = "management.azure.com";

    public string Base(HttpContext? context) => HostOf(context) switch
    {
        { } host when IsAzure(host) => $"https://{(host.EndsWith(".api.azureml.ms", StringComparison.Ordinal) ? host : Management)}",
        _ => $"https://localhost:{address.Port}",
    };

    public string Blob(HttpContext? context, string account) => HostOf(context) is { } host && IsAzure(host)
        ? $"https://{account}.blob.core.windows.net"
        : $"https://{account}.blob.core.localhost:{address.Port}";

    public string Gateway(HttpContext? context) => $"https://localhost:{address.GatewayPort}";

    private static string? HostOf(HttpContext? context) => context?.Request.Host.Host.ToLowerInvariant();

    private static bool IsAzure(string host) =>
        host is Management or "login.microsoftonline.com"
        || host.EndsWith(".windows.net", StringComparison.Ordinal)
        || host.EndsWith(".azureml.ms", StringComparison.Ordinal);
}
