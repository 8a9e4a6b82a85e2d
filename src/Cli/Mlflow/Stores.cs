using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Zaffre.Cli.Mlflow;

/// <summary>Finds out what kind of store an argument names.</summary>
internal static class Stores
{
    private const string Sqlite = "sqlite:///";

    public static IMlflowSource OpenSource(string source, IReadOnlyList<string> artifacts, TransferFilter filter, TransferReport report)
    {
        if (IsServer(source))
        {
            return new RestSource(Link(source), filter);
        }

        if (source.StartsWith(Sqlite, StringComparison.Ordinal))
        {
            return SqliteSource.Open(source[Sqlite.Length..], artifacts, filter, report);
        }

        var path = source.StartsWith("file://", StringComparison.Ordinal) ? new Uri(source).LocalPath : source;
        return path.Contains("://", StringComparison.Ordinal) ? throw new CliException($"'{source}': a source is sqlite:///FILE, a .db file, an mlruns folder or http(s)://SERVER.")
            : Directory.Exists(path) ? FileStoreSource.Open(path, artifacts, filter, report)
            : SqliteSource.Open(path, artifacts, filter, report);
    }

    public static async Task<IMlflowTarget> OpenTargetAsync(string destination, string origin, TransferReport report, CancellationToken ct)
    {
        if (IsServer(destination))
        {
            return await RestTarget.OpenAsync(Link(destination), origin, report, ct);
        }

        var path = destination.StartsWith(Sqlite, StringComparison.Ordinal) ? destination[Sqlite.Length..] : destination;
        return path.Contains("://", StringComparison.Ordinal) ? throw new CliException($"'{destination}': a destination is a folder, sqlite:///FILE or http(s)://SERVER.")
            : SqliteTarget.Open(path.EndsWith(".db", StringComparison.Ordinal) ? path : Path.Combine(path, "mlflow.db"), report);
    }

    private static bool IsServer(string text) => text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    /// <summary>A tracking server with the credentials that MLflow's clients take from the environment.</summary>
    private static ServerLink Link(string address)
    {
        var uri = Uri.TryCreate(address, UriKind.Absolute, out var parsed) ? parsed : throw new CliException($"'{address}' is no address of a server.");
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        if (Setting("MLFLOW_TRACKING_INSECURE_TLS") is "true" or "1")
        {
#pragma warning disable CA5359 // Asked for, by MLflow's own variable.
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if ((Setting("MLFLOW_TRACKING_SERVER_CERT_PATH") ?? Setting("REQUESTS_CA_BUNDLE")) is { } bundle)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(bundle);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        var http = new HttpClient(handler) { BaseAddress = new Uri(uri.GetLeftPart(UriPartial.Authority)), Timeout = Timeout.InfiniteTimeSpan };
        return new ServerLink(http, uri.AbsolutePath.TrimEnd('/'), (_, _) => Task.FromResult(Credentials()));
    }

    private static AuthenticationHeaderValue? Credentials() => Setting("MLFLOW_TRACKING_USERNAME") is { } user
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Setting("MLFLOW_TRACKING_PASSWORD")}")))
        : Setting("MLFLOW_TRACKING_TOKEN") is { } token ? new AuthenticationHeaderValue("Bearer", token)
        : null;

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
