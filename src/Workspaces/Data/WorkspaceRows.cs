using Dapper;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Workspaces;

internal sealed class WorkspaceRow
{
    public long Sequence { get; init; }

    public string Id { get; init; } = "";

    public string WorkspaceId { get; init; } = "";

    public string Location { get; init; } = "";

    public string Account { get; init; } = "";

    public Workspace ToWorkspace() => WorkspaceRef.TryParse(Id, out var reference, out _)
        ? new Workspace(reference, WorkspaceId, Location, Account)
        : throw new InvalidOperationException($"'{Id}' is no workspace id.");
}

/// <summary>What is kept of a workspace beside its document: the guid, the location and the storage account, each findable.</summary>
internal sealed class WorkspaceRows(IDatabase database) : IScopedDeletion
{
    private const string Columns = "SELECT sequence, id, workspace_id AS WorkspaceId, location, account FROM workspaces";

    public Task<WorkspaceRow?> FindAsync(ArmId id, CancellationToken ct) =>
        database.ReadAsync(c => c.QueryFirstOrDefault<WorkspaceRow>(Columns + " WHERE key = @key", new { key = id.Key }), ct);

    public Task<WorkspaceRow?> FindByGuidAsync(string workspaceId, CancellationToken ct) =>
        database.ReadAsync(c => c.QueryFirstOrDefault<WorkspaceRow>(Columns + " WHERE workspace_id = @guid", new { guid = workspaceId.ToLowerInvariant() }), ct);

    /// <summary>Workspaces whose id begins with <paramref name="prefix"/>, after <paramref name="after"/>, oldest first.</summary>
    public Task<IReadOnlyList<WorkspaceRow>> ListAsync(string prefix, long after, int limit, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<WorkspaceRow>>(
            c => c.Query<WorkspaceRow>(
                Columns + " WHERE substr(key, 1, length(@prefix)) = @prefix AND sequence > @after ORDER BY sequence LIMIT @limit",
                new { prefix = prefix.ToLowerInvariant(), after, limit }).AsList(),
            ct);

    public static void Insert(WriteScope scope, Workspace workspace) => scope.Execute(
        "INSERT INTO workspaces (key, id, workspace_id, location, account) VALUES (@key, @id, @guid, @location, @account)",
        new { key = workspace.Ref.Id.Key, id = workspace.Ref.Id.Value, guid = workspace.WorkspaceId, location = workspace.Location, account = workspace.StorageAccount });

    public void Delete(WriteScope write, ArmId scope) => write.Execute(
        "DELETE FROM workspaces WHERE key = @key OR (key > @below AND key < @past)",
        new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" });
}

/// <summary>Secrets of datastores, sealed at rest; the documents hold none.</summary>
internal sealed class DatastoreSecrets(IDatabase database, ISecretBox box) : IScopedDeletion
{
    public async Task<string?> FindAsync(ArmId datastore, CancellationToken ct)
    {
        var stored = await database.ReadAsync(c => c.QueryFirstOrDefault<string>("SELECT sealed FROM datastore_secrets WHERE key = @key", new { key = datastore.Key }), ct);
        return stored is null ? null : box.Open(stored, Purpose(datastore));
    }

    public void Put(WriteScope scope, ArmId datastore, string secret) => scope.Execute(
        "INSERT INTO datastore_secrets (key, sealed) VALUES (@key, @stored) ON CONFLICT (key) DO UPDATE SET sealed = @stored",
        new { key = datastore.Key, stored = box.Seal(secret, Purpose(datastore)) });

    public static void Remove(WriteScope scope, ArmId datastore) => scope.Execute("DELETE FROM datastore_secrets WHERE key = @key", new { key = datastore.Key });

    public void Delete(WriteScope write, ArmId scope) => write.Execute(
        "DELETE FROM datastore_secrets WHERE key = @key OR (key > @below AND key < @past)",
        new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" });

    private static string Purpose(ArmId datastore) => "datastore" + datastore.Key;
}
