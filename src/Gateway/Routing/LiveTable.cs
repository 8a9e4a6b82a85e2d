using System.Collections.Frozen;
using System.Security.Cryptography;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Routing;

/// <summary>The table that requests are routed by, replaced as a whole. Pools live on across tables. Thread safe.</summary>
internal sealed class LiveTable(TimeProvider time, OnnxLoader? onnx = null) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Endpoint, string Epoch, string Deployment), DeploymentPool> pools = [];
    private volatile FrozenDictionary<string, LiveEndpoint> endpoints = FrozenDictionary<string, LiveEndpoint>.Empty;

    public long Version { get; private set; } = -1;

    public LiveEndpoint? Find(ReadOnlySpan<char> name) =>
        endpoints.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var found) ? found : null;

    public DeploymentCounters[] Counters()
    {
        lock (gate)
        {
            return [.. pools.Values.Select(p => p.Read())];
        }
    }

    /// <summary>Routes by <paramref name="table"/> from now on; false when it is older than the present one.</summary>
    public bool Apply(RoutingTable table)
    {
        lock (gate)
        {
            if (table.Version < Version)
            {
                return false;
            }

            var keys = table.TokenKeys.ToDictionary(k => k.Key, k => Key(k.Value), StringComparer.Ordinal);
            var accessTokens = table.Authority is { } authority ? new AccessTokens(authority) : null;
            var wanted = new HashSet<(string, string, string)>();
            var live = new Dictionary<string, LiveEndpoint>(StringComparer.OrdinalIgnoreCase);
            foreach (var endpoint in table.Endpoints)
            {
                var own = new Dictionary<string, DeploymentPool>(StringComparer.Ordinal);
                foreach (var deployment in endpoint.Deployments)
                {
                    var id = (endpoint.Name, endpoint.Epoch, deployment.Name);
                    wanted.Add(id);
                    if (!pools.TryGetValue(id, out var pool))
                    {
                        pools[id] = pool = new DeploymentPool(endpoint.Name, deployment, time.GetUtcNow(), onnx);
                    }

                    pool.Apply(deployment);
                    own[deployment.Name] = pool;
                }

                live[endpoint.Name] = new LiveEndpoint(endpoint, own, keys, time, accessTokens);
            }

            endpoints = live.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
            Version = table.Version;
            foreach (var id in pools.Keys.Where(id => !wanted.Contains(id)).ToList())
            {
                pools.Remove(id, out var gone);
                gone?.Dispose();
            }

            return true;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var pool in pools.Values)
            {
                pool.Dispose();
            }

            pools.Clear();
        }
    }

    private static ECDsa Key(string subjectPublicKeyInfo)
    {
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(subjectPublicKeyInfo), out _);
        return key;
    }
}
