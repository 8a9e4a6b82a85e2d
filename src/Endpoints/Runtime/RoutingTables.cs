using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Gateway;
using Zaffre.Identity;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Endpoints.Runtime;

/// <summary>Builds the routing table from what is committed.</summary>
internal sealed class RoutingTables(IDatabase database, IResources resources, EndpointStore endpoints, ITokenAccess access, DataDirectory data, TimeProvider time)
{
    private const string ScoreAction = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action";
    private readonly ServingFolder folder = ServingFolder.Open(data);

    /// <summary>The table now, with a version of at least <paramref name="atLeast"/>.</summary>
    public async Task<RoutingTable> BuildAsync(long atLeast, CancellationToken ct)
    {
        var (keyId, key) = await endpoints.TokenKeyAsync(ct);
        using var disposed = key;
        var (rows, deployments, workers) = await database.ReadAsync(
            c => (EndpointStore.List(c), DeploymentStore.List(c), DeploymentStore.Workers(c)), ct);
        var routes = new List<EndpointRoute>(rows.Count);
        foreach (var row in rows)
        {
            if (await resources.FindAsync(new ArmId(row.EndpointId), ct) is not { } endpoint)
            {
                continue;
            }

            var live = deployments.Where(d => d.Live is not null && d.State != DeploymentState.Deleting && d.EndpointId.Equals(row.EndpointId, StringComparison.OrdinalIgnoreCase));
            var (primary, secondary) = endpoints.Open(row);
            var mode = OnlineEndpoint.ModeOf(endpoint.Document);
            routes.Add(new EndpointRoute(row.Name, mode)
            {
                Epoch = row.Epoch,
                KeyHashes = mode == EndpointAuthentication.Key ? [EndpointStore.HashOf(primary), EndpointStore.HashOf(secondary)] : [],
                Scorers = mode == EndpointAuthentication.Entra ? await access.HoldersAsync(ScoreAction, endpoint.Id, ct) : [],
                Traffic = OnlineEndpoint.TrafficOf(endpoint.Document),
                MirrorTraffic = OnlineEndpoint.MirrorOf(endpoint.Document),
                Deployments = [.. live.Select(d => Route(d, workers))],
            });
        }

        return new RoutingTable
        {
            Version = Math.Max(atLeast, time.GetUtcNow().ToUnixTimeMilliseconds()),
            TokenKeys = new Dictionary<string, string>(StringComparer.Ordinal) { [keyId] = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()) },
            Authority = new TokenAuthority(access.Issuer, access.Audiences, access.PublicKeys),
            Endpoints = routes,
        };
    }

    private DeploymentRoute Route(DeploymentRow row, IReadOnlyList<WorkerRow> workers)
    {
        var settings = RequestSettings.Of(row.ParseLive() ?? new JsonObject());
        return new DeploymentRoute(row.Id.Name)
        {
            MaxConcurrentPerInstance = settings.MaxConcurrent,
            RequestTimeoutMs = (int)settings.Timeout.TotalMilliseconds,
            MaxQueueWaitMs = (int)settings.QueueWait.TotalMilliseconds,
            Onnx = row.ParseModels() is { } models ? models with { Instances = DeploymentValidation.CapacityOf(row.ParseLive() ?? []) } : null,
            Workers = [.. workers.Where(w => w.RowKey == row.RowKey && w.Generation == row.Live && w.Ready == 1)
                .OrderBy(w => w.Slot)
                .Select(w => new WorkerRoute(w.WorkerId, folder.Worker(w.WorkerId)))],
        };
    }
}
