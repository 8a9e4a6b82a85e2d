using System.Data.Common;
using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
using Zaffre.Gateway;
using Zaffre.Web;

namespace Zaffre.Endpoints.Data;

/// <summary>States of a deployment as the wire names them.</summary>
internal static class DeploymentState
{
    public const string Creating = "Creating";
    public const string Updating = "Updating";
    public const string Succeeded = "Succeeded";
    public const string Failed = "Failed";
    public const string Deleting = "Deleting";

    /// <summary>An operation runs on it.</summary>
    public static bool IsMoving(string state) => state is Creating or Updating or Deleting;
}

internal sealed class DeploymentRow
{
    public string RowKey { get; init; } = "";

    public string DeploymentId { get; init; } = "";

    public string EndpointId { get; init; } = "";

    public string State { get; init; } = "";

    public string? Error { get; init; }

    public long Wanted { get; init; }

    public long? Live { get; init; }

    public string Document { get; init; } = "";

    public string? LiveDocument { get; init; }

    public string? Operation { get; init; }

    /// <summary>What scores, as the last plan chose it: <c>score.py</c>, <c>mlflow/sklearn</c>; null before.</summary>
    public string? Runtime { get; init; }

    /// <summary>The models of the live generation that the gateway scores itself; null when instances score.</summary>
    public string? LiveModels { get; init; }

    public OnnxRoute? ParseModels() => LiveModels is null ? null : OnnxRoute.Parse(LiveModels);

    public ArmId Id => new(DeploymentId);

    public JsonObject ParseDocument() => (JsonObject)JsonNode.Parse(Document)!;

    public JsonObject? ParseLive() => LiveDocument is null ? null : (JsonObject)JsonNode.Parse(LiveDocument)!;
}

internal sealed class WorkerRow
{
    public string WorkerId { get; init; } = "";

    public string RowKey { get; init; } = "";

    public long Generation { get; init; }

    public long Slot { get; init; }

    public long Ready { get; init; }
}

/// <summary>Deployments and their instances.</summary>
internal sealed class DeploymentStore(IDatabase database)
{
    private const string Columns = "row_key AS RowKey, deployment_id AS DeploymentId, endpoint_id AS EndpointId, state AS State, error AS Error, wanted AS Wanted, live AS Live, document AS Document, live_document AS LiveDocument, operation AS Operation, runtime AS Runtime, live_models AS LiveModels";
    private const string WorkerColumns = "worker_id AS WorkerId, row_key AS RowKey, generation AS Generation, slot AS Slot, ready AS Ready";

    public static IReadOnlyList<DeploymentRow> List(DbConnection connection) =>
        [.. connection.Query<DeploymentRow>($"SELECT {Columns} FROM deployment")];

    public static IReadOnlyList<WorkerRow> Workers(DbConnection connection) =>
        [.. connection.Query<WorkerRow>($"SELECT {WorkerColumns} FROM deployment_worker")];

    public Task<IReadOnlyList<DeploymentRow>> ListAsync(CancellationToken ct) => database.ReadAsync(List, ct);

    public Task<IReadOnlyList<DeploymentRow>> OfEndpointAsync(ArmId endpoint, CancellationToken ct) => database.ReadAsync<IReadOnlyList<DeploymentRow>>(
        c => [.. c.Query<DeploymentRow>($"SELECT {Columns} FROM deployment WHERE endpoint_id = @Value AND state <> 'Deleting'", new { endpoint.Value })], ct);

    public Task<DeploymentRow?> FindByKeyAsync(string rowKey, CancellationToken ct) => database.ReadAsync(
        c => c.QueryFirstOrDefault<DeploymentRow>($"SELECT {Columns} FROM deployment WHERE row_key = @rowKey", new { rowKey }), ct);

    public Task<DeploymentRow?> FindAsync(ArmId id, CancellationToken ct) => database.ReadAsync(
        c => c.QueryFirstOrDefault<DeploymentRow>($"SELECT {Columns} FROM deployment WHERE deployment_id = @Value AND state <> 'Deleting'", new { id.Value }), ct);

    public static DeploymentRow? Find(WriteScope scope, ArmId id) => scope.QueryFirstOrDefault<DeploymentRow>(
        $"SELECT {Columns} FROM deployment WHERE deployment_id = @Value AND state <> 'Deleting'", new { id.Value });

    public Task<IReadOnlyList<WorkerRow>> WorkersOfAsync(string rowKey, CancellationToken ct) => database.ReadAsync<IReadOnlyList<WorkerRow>>(
        c => [.. c.Query<WorkerRow>($"SELECT {WorkerColumns} FROM deployment_worker WHERE row_key = @rowKey", new { rowKey })], ct);

    public static void Create(WriteScope scope, string rowKey, ArmId id, JsonObject document, string operation) => scope.Execute(
        "INSERT INTO deployment (row_key, deployment_id, endpoint_id, state, wanted, document, operation) VALUES (@rowKey, @Id, @Endpoint, 'Creating', 1, @Document, @operation)",
        new { rowKey, Id = id.Value, Endpoint = id.Parent.Value, Document = document.ToJsonString(), operation });

    public static void Update(WriteScope scope, DeploymentRow row, JsonObject document, string operation) => scope.Execute(
        "UPDATE deployment SET state = 'Updating', error = NULL, wanted = wanted + 1, document = @Document, operation = @operation WHERE row_key = @RowKey",
        new { Document = document.ToJsonString(), operation, row.RowKey });

    public Task SetRuntimeAsync(string rowKey, string runtime, CancellationToken ct) => database.WriteAsync(
        scope => scope.Execute("UPDATE deployment SET runtime = @runtime WHERE row_key = @rowKey", new { runtime, rowKey }), ct);

    /// <summary>The wanted generation serves: <paramref name="models"/> in the gateway, or instances when that is null.</summary>
    public static bool Settle(WriteScope scope, DeploymentRow row, string? models) => scope.Execute(
        "UPDATE deployment SET state = 'Succeeded', error = NULL, live = wanted, live_document = document, live_models = @models, operation = NULL WHERE row_key = @RowKey AND wanted = @Wanted AND state <> 'Deleting'",
        new { row.RowKey, row.Wanted, models }) == 1;

    /// <summary>The wanted generation could not be brought to serve; what was live stays so.</summary>
    public static bool Fail(WriteScope scope, DeploymentRow row, JsonObject error) => scope.Execute(
        "UPDATE deployment SET state = 'Failed', error = @Error, operation = NULL WHERE row_key = @RowKey AND wanted = @Wanted AND state <> 'Deleting'",
        new { row.RowKey, row.Wanted, Error = error.ToJsonString() }) == 1;

    /// <summary>Marks every deployment at or below the scope; returns the row keys.</summary>
    public static IReadOnlyList<DeploymentRow> MarkDeleting(WriteScope scope, ArmId scopeId)
    {
        var parameters = new { Id = scopeId.Value, Below = Like.Below(scopeId) };
        var rows = scope.Query<DeploymentRow>(
            $"SELECT {Columns} FROM deployment WHERE state <> 'Deleting' AND (deployment_id = @Id OR deployment_id LIKE @Below ESCAPE '\\')", parameters);
        foreach (var row in rows)
        {
            scope.Execute("UPDATE deployment SET state = 'Deleting' WHERE row_key = @RowKey", new { row.RowKey });
        }

        return rows;
    }

    public static void Remove(WriteScope scope, string rowKey)
    {
        scope.Execute("DELETE FROM deployment_worker WHERE row_key = @rowKey", new { rowKey });
        scope.Execute("DELETE FROM deployment WHERE row_key = @rowKey", new { rowKey });
    }

    public Task AddWorkerAsync(WorkerRow worker, CancellationToken ct) => database.WriteAsync(
        scope => scope.Execute("INSERT INTO deployment_worker (worker_id, row_key, generation, slot, ready) VALUES (@WorkerId, @RowKey, @Generation, @Slot, 0)", worker), ct);

    public static void SetReady(WriteScope scope, string workerId) =>
        scope.Execute("UPDATE deployment_worker SET ready = 1 WHERE worker_id = @workerId", new { workerId });

    public Task SetReadyAsync(string workerId, CancellationToken ct) => database.WriteAsync(scope => SetReady(scope, workerId), ct);

    public Task RemoveWorkerAsync(string workerId, CancellationToken ct) => database.WriteAsync(
        scope => scope.Execute("DELETE FROM deployment_worker WHERE worker_id = @workerId", new { workerId }), ct);
}
