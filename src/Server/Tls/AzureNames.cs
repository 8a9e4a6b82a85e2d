namespace Zaffre.Server.Tls;

/// <summary>The public host names that this server answers for when a client reaches it through the CONNECT listener.</summary>
internal static class AzureNames
{
    /// <summary>Hosts answered under exactly this name.</summary>
    public static IReadOnlyList<string> Exact { get; } = ["management.azure.com", "login.microsoftonline.com"];

    /// <summary>Hosts answered under every name one level below.</summary>
    public static IReadOnlyList<string> Below { get; } = ["blob.core.windows.net", "dfs.core.windows.net", "api.azureml.ms"];

    public static bool IsOurs(string host) =>
        Exact.Contains(host, StringComparer.OrdinalIgnoreCase)
        || Below.Any(parent => host.EndsWith("." + parent, StringComparison.OrdinalIgnoreCase));
}
