using System.Net;
using System.Net.Sockets;
using Zaffre.Kernel;
using Zaffre.Server;

namespace Zaffre.App;

/// <summary>How clients reach the server: through the CONNECT listener under the Azure names, or as a custom cloud.</summary>
internal enum ConnectionMode
{
    Proxy,
    Direct,
}

/// <summary>The environment variables with which unmodified clients work against the server, and those that would get in their way.</summary>
internal static class ClientEnvironment
{
    /// <summary>How long the MLflow token of an environment is valid.</summary>
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    /// <summary>Variables of other set-ups that the clients would prefer to ours; removed where they are set.</summary>
    private static readonly string[] InTheWay =
    [
        "no_proxy", "AZURE_AUTHORITY_HOST", "ARM_CLOUD_METADATA_URL", "REGISTRY_DISCOVERY_ENDPOINT_URL", "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE", "AZURE_USERNAME", "AZURE_PASSWORD", "AZUREML_CURRENT_CLOUD", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD",
    ];

    /// <summary>What to set.</summary>
    public static async Task<IReadOnlyList<KeyValuePair<string, string>>> SetAsync(DataDirectory data, ConnectionMode mode, CancellationToken ct)
    {
        var state = Verb.Running(data);
        var owner = Owner.Read(data);
        var bundle = data.Path("tls", "ca-bundle.pem");
        var config = data.Path("env", "azure");
        Directory.CreateDirectory(config, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var client = new LocalClient(data, state);
        var token = await client.TokenAsync(owner, "https://management.azure.com", TokenLifetime, ct);
        return
        [
            .. mode == ConnectionMode.Proxy ? Proxy(state) : Direct(state),
            new("REQUESTS_CA_BUNDLE", bundle),
            new("SSL_CERT_FILE", bundle),
            new("CURL_CA_BUNDLE", bundle),
            new("NODE_EXTRA_CA_CERTS", bundle),
            new("AZURE_CONFIG_DIR", config),
            new("AZURE_TENANT_ID", mode == ConnectionMode.Proxy ? owner.TenantId : "adfs"),
            new("AZURE_CLIENT_ID", owner.ClientId),
            new("AZURE_CLIENT_SECRET", owner.ClientSecret),
            new("AZURE_SUBSCRIPTION_ID", owner.SubscriptionId),
            new("AZUREML_SDKV2_TELEMETRY_OPTOUT", "1"),
            new("ZAFFRE_RESOURCE_GROUP", "zaffre"),
            new("ZAFFRE_WORKSPACE", "main"),
            new("MLFLOW_TRACKING_URI", state.Url),
            new("MLFLOW_TRACKING_TOKEN", token),
        ];
    }

    /// <summary>What to remove: set here, and in the way of what is set.</summary>
    public static IEnumerable<string> Unset(IReadOnlyList<KeyValuePair<string, string>> set) =>
        InTheWay.Where(name => Environment.GetEnvironmentVariable(name) is not null && !set.Any(pair => pair.Key == name));

    /// <summary>What direct mode needs of this machine and does not find, in words; empty in proxy mode.</summary>
    public static async Task<IReadOnlyList<string>> MissingAsync(ConnectionMode mode, CancellationToken ct)
    {
        if (mode == ConnectionMode.Proxy)
        {
            return [];
        }

        const string Account = "anyaccount.blob.core.localhost";
        const string Fix = "Install libnss-myhostname, or put a line for each storage account into /etc/hosts, or use --mode proxy, which needs neither.";
        try
        {
            var found = await Dns.GetHostAddressesAsync(Account, ct);
            return found.All(IPAddress.IsLoopback) ? [] : [$"{Account} resolves to {found[0]}, not to this machine: uploads would go there. {Fix}"];
        }
        catch (SocketException)
        {
            return [$"{Account} does not resolve on this machine: uploads to storage accounts will fail. {Fix}"];
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Proxy(ServerState state) =>
    [
        new("HTTPS_PROXY", state.ProxyUrl),
        new("https_proxy", state.ProxyUrl),
        new("NO_PROXY", "localhost,127.0.0.1,::1"),
    ];

    private static IEnumerable<KeyValuePair<string, string>> Direct(ServerState state)
    {
        var users = Environment.GetEnvironmentVariable("NO_PROXY") ?? Environment.GetEnvironmentVariable("no_proxy");
        return
        [
            new("NO_PROXY", "localhost,.localhost,127.0.0.1,::1" + (string.IsNullOrEmpty(users) ? "" : "," + users)),
            new("ARM_CLOUD_METADATA_URL", $"{state.Url}/metadata/endpoints?api-version=2019-05-01"),
            new("REGISTRY_DISCOVERY_ENDPOINT_URL", state.Url + "/"),
            new("AZURE_AUTHORITY_HOST", state.Url),
        ];
    }
}
