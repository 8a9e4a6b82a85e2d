using Zaffre.Kernel;

namespace Zaffre.Server;

/// <summary>How one server is started. Zero configuration works: every member but the data directory has a default.</summary>
public sealed record ServerOptions
{
    /// <summary>The folder in which the server keeps everything; only one server at a time may use it.</summary>
    public required DataDirectory Data { get; init; }

    /// <summary>TLS port of the control plane on 127.0.0.1 and ::1; 0 picks one (the last one used, when free).</summary>
    public int Port { get; init; } = 8443;

    /// <summary>Port of the CONNECT listener; 0 picks one.</summary>
    public int ProxyPort { get; init; } = 8888;

    /// <summary>TLS port of the scoring gateway; 0 picks one.</summary>
    public int GatewayPort { get; init; } = 8444;

    /// <summary>Whether the CONNECT listener refuses every host but the Azure ones that this server answers for.</summary>
    public bool StrictProxy { get; init; }

    /// <summary>The folder into which traffic is recorded, without secrets (docs/recording.md); null records nothing.</summary>
    public string? Record { get; init; }

    /// <summary>Megabytes that one session's recording may take.</summary>
    public int RecordLimit { get; init; } = 256;
}

/// <summary>
/// The ports and certificate files in use, decided before anything starts; a singleton of the server.
/// </summary>
public sealed record ServerEndpoints
{
    /// <summary>TLS port of the control plane.</summary>
    public required int Port { get; init; }

    /// <summary>Port of the CONNECT listener.</summary>
    public required int ProxyPort { get; init; }

    /// <summary>TLS port for the scoring gateway; free when the server started, or still held by this data directory's gateway.</summary>
    public required int GatewayPort { get; init; }

    /// <summary>PEM file of the server certificate (valid for <c>localhost</c>, <c>127.0.0.1</c>, <c>::1</c> and the Azure names).</summary>
    public required string CertificateFile { get; init; }

    /// <summary>PEM file of its private key, mode 0600.</summary>
    public required string KeyFile { get; init; }

    /// <summary>System certificates and the local CA, for <c>REQUESTS_CA_BUNDLE</c> and the like.</summary>
    public required string BundleFile { get; init; }

    /// <summary><c>https://localhost:{Port}</c>.</summary>
    public string Url => $"https://localhost:{Port}";

    /// <summary><c>http://localhost:{ProxyPort}</c>.</summary>
    public string ProxyUrl => $"http://localhost:{ProxyPort}";

    /// <summary><c>https://localhost:{GatewayPort}</c>.</summary>
    public string GatewayUrl => $"https://localhost:{GatewayPort}";
}
