using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Routing;

/// <summary>What a caller's credential is worth at an endpoint.</summary>
internal enum Access
{
    Granted,

    /// <summary>No credential, or not a bearer.</summary>
    Missing,

    /// <summary>One that is not valid here.</summary>
    Denied,
}

/// <summary>One endpoint of the current table, compiled for the hot path. Immutable but for a small cache of verified tokens.</summary>
internal sealed class LiveEndpoint
{
    private const int MaxCachedTokens = 1024;
    private readonly byte[][] keyHashes;
    private readonly IReadOnlyDictionary<string, ECDsa> tokenKeys;
    private readonly AccessTokens? accessTokens;
    private readonly HashSet<string> scorers;
    private readonly ConcurrentDictionary<string, DateTimeOffset> verified = new(StringComparer.Ordinal);
    private readonly (int Upto, DeploymentPool Pool)[] weights;
    private readonly Dictionary<string, DeploymentPool> deployments;
    private readonly EndpointRoute route;
    private readonly TimeProvider time;
    private readonly (DeploymentPool Pool, int Share)? mirror;

    public LiveEndpoint(EndpointRoute route, IReadOnlyDictionary<string, DeploymentPool> pools, IReadOnlyDictionary<string, ECDsa> tokenKeys, TimeProvider time, AccessTokens? accessTokens = null)
    {
        this.route = route;
        this.tokenKeys = tokenKeys;
        this.accessTokens = accessTokens;
        scorers = new HashSet<string>(route.Scorers, StringComparer.OrdinalIgnoreCase);
        this.time = time;
        keyHashes = [.. route.KeyHashes.Select(Convert.FromHexString)];
        deployments = new Dictionary<string, DeploymentPool>(pools, StringComparer.OrdinalIgnoreCase);
        var upto = 0;
        weights = [.. route.Traffic
            .Where(t => t.Value > 0 && deployments.ContainsKey(t.Key))
            .OrderBy(t => t.Key, StringComparer.Ordinal)
            .Select(t => (upto += t.Value, deployments[t.Key]))];
        mirror = route.MirrorTraffic.Where(t => t.Value > 0 && deployments.ContainsKey(t.Key)).Select(t => ((DeploymentPool, int)?)(deployments[t.Key], t.Value)).FirstOrDefault();
    }

    public string Name => route.Name;

    public IReadOnlyCollection<DeploymentPool> Pools => deployments.Values;

    /// <summary>Checks the <c>Authorization</c> header. Every key is compared, whatever the first comparisons said.</summary>
    public Access Check(in StringValues authorization)
    {
        if (authorization.Count != 1 || authorization[0] is not { } header || !header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return Access.Missing;
        }

        var credential = header.AsSpan(7).Trim();
        return (route.Authentication == EndpointAuthentication.Key ? IsKey(credential) : IsToken(credential.ToString())) ? Access.Granted : Access.Denied;
    }

    /// <summary>
    /// The deployment for a request: the one the header names when it exists (an unknown name counts as not given, since clients
    /// send the header of an earlier call), else by weight. Null when no deployment has traffic.
    /// </summary>
    public DeploymentPool? Choose(in StringValues wanted, Random random)
    {
        if (wanted.Count > 0 && wanted[0] is { Length: > 0 } name && deployments.TryGetValue(name, out var named))
        {
            return named;
        }

        if (weights.Length <= 1)
        {
            return weights.Length == 0 ? null : weights[0].Pool;
        }

        var draw = random.Next(weights[^1].Upto);
        foreach (var (upto, pool) in weights)
        {
            if (draw < upto)
            {
                return pool;
            }
        }

        return weights[^1].Pool;
    }

    /// <summary>The deployment that gets a copy of a request, by its share; null for a request that names its deployment, and when there is none.</summary>
    public DeploymentPool? ChooseMirror(in StringValues wanted, Random random) =>
        mirror is { } chosen && wanted.Count == 0 && random.Next(100) < chosen.Share ? chosen.Pool : null;

    private bool IsKey(ReadOnlySpan<char> key)
    {
        if (key.Length is 0 or > 512)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(key.Length)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(key, bytes)], hash);
        var granted = false;
        foreach (var known in keyHashes)
        {
            granted |= CryptographicOperations.FixedTimeEquals(known, hash);
        }

        return granted;
    }

    // Verified tokens are remembered until they end: a signature costs a hundred times what the look-up does.
    private bool IsToken(string token)
    {
        var now = time.GetUtcNow();
        if (verified.TryGetValue(token, out var expires))
        {
            return expires > now;
        }

        if (Ends(token, now) is not { } until)
        {
            return false;
        }

        if (verified.Count >= MaxCachedTokens)
        {
            verified.Clear();
        }

        verified[token] = until;
        return true;
    }

    private DateTimeOffset? Ends(string token, DateTimeOffset now) => route.Authentication == EndpointAuthentication.Entra
        ? accessTokens?.Verify(token, now) is { } verified && scorers.Contains(verified.ObjectId) ? verified.Expires : null
        : EndpointToken.Verify(token, tokenKeys, (route.Name, route.Epoch), now);
}
