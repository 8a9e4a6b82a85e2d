namespace Zaffre.Gateway;

/// <summary>How callers of an endpoint prove themselves.</summary>
public enum EndpointAuthentication
{
    /// <summary>One of the endpoint's two keys.</summary>
    Key,

    /// <summary>A token that the server signed for this endpoint (<c>aml_token</c>).</summary>
    Token,

    /// <summary>An access token of the server's authority whose principal may score (<c>aad_token</c>).</summary>
    Entra,
}

/// <summary>
/// Everything the gateway needs to score: pushed whole by the server, kept whole on disk. Holds no secret in clear.
/// </summary>
public sealed record RoutingTable
{
    /// <summary>Grows with every push; an older table never replaces a newer one.</summary>
    public required long Version { get; init; }

    /// <summary>Public keys that verify endpoint tokens, by key id: SubjectPublicKeyInfo, base64.</summary>
    public IReadOnlyDictionary<string, string> TokenKeys { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Who issues the access tokens for endpoints with <see cref="EndpointAuthentication.Entra"/>; null when nobody does.</summary>
    public TokenAuthority? Authority { get; init; }

    /// <summary>Every endpoint of the server.</summary>
    public IReadOnlyList<EndpointRoute> Endpoints { get; init; } = [];
}

/// <summary>An issuer of access tokens: its name, the audiences that are meant for endpoints, and its public RSA keys by key id (SubjectPublicKeyInfo, base64).</summary>
public sealed record TokenAuthority(string Issuer, IReadOnlyCollection<string> Audiences, IReadOnlyDictionary<string, string> Keys);

/// <summary>One endpoint. <paramref name="Name"/> is unique on the server and the first segment of its scoring URL.</summary>
public sealed record EndpointRoute(string Name, EndpointAuthentication Authentication)
{
    /// <summary>Changes when an endpoint of the same name is made anew, so that tokens of the old one end.</summary>
    public required string Epoch { get; init; }

    /// <summary>Lower-case hexadecimal SHA-256 of each key that is valid.</summary>
    public IReadOnlyList<string> KeyHashes { get; init; } = [];

    /// <summary>The object ids of the principals that may score, with <see cref="EndpointAuthentication.Entra"/>.</summary>
    public IReadOnlyList<string> Scorers { get; init; } = [];

    /// <summary>Share of each deployment; all zero or summing to 100.</summary>
    public IReadOnlyDictionary<string, int> Traffic { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>The deployment that gets copies of requests, and the share of them in percent. Empty when there is none.</summary>
    public IReadOnlyDictionary<string, int> MirrorTraffic { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    public IReadOnlyList<DeploymentRoute> Deployments { get; init; } = [];
}

/// <summary>One deployment with its limits and live instances.</summary>
public sealed record DeploymentRoute(string Name)
{
    /// <summary>Requests that one instance runs side by side.</summary>
    public int MaxConcurrentPerInstance { get; init; } = 1;

    /// <summary>Milliseconds from the whole request being read to the answer.</summary>
    public int RequestTimeoutMs { get; init; } = 5000;

    /// <summary>Milliseconds that a request may wait behind running ones.</summary>
    public int MaxQueueWaitMs { get; init; } = 500;

    /// <summary>Largest request body in bytes.</summary>
    public long MaxBodyBytes { get; init; } = 64L << 20;

    public IReadOnlyList<WorkerRoute> Workers { get; init; } = [];

    /// <summary>The models that the gateway scores itself, or null when instances do.</summary>
    public OnnxRoute? Onnx { get; init; }
}

/// <summary>A live instance: <paramref name="Folder"/> holds its sockets <c>s.sock</c> and <c>c.sock</c>.</summary>
public sealed record WorkerRoute(string Id, string Folder);
