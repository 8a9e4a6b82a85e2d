using System.Text.Json.Nodes;
using Dapper;
using Zaffre.Database;
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

    public string Kind { get; init; } = WorkspaceKind.Default;

    public Workspace ToWorkspace() => WorkspaceRef.TryParse(Id, out var reference, out _)
        ? new Workspace(reference, WorkspaceId, Location, Account)
        : throw new InvalidOperationException($"'{Id}' is no workspace id.");
}

/// <summary>What is kept of a workspace beside its document: the guid, the location and the storage account, each findable.</summary>
internal sealed class WorkspaceRows(IDatabase database) : IScopedDeletion
{
    private const string Columns = "SELECT sequence, id, workspace_id AS WorkspaceId, location, account, kind FROM workspaces";

    public Task<WorkspaceRow?> FindAsync(ArmId id, CancellationToken ct) =>
        database.ReadAsync(c => c.QueryFirstOrDefault<WorkspaceRow>(Columns + " WHERE key = @key", new { key = id.Key }), ct);

    public Task<WorkspaceRow?> FindByGuidAsync(string workspaceId, CancellationToken ct) =>
        database.ReadAsync(c => c.QueryFirstOrDefault<WorkspaceRow>(Columns + " WHERE workspace_id = @guid", new { guid = workspaceId.ToLowerInvariant() }), ct);

    /// <summary>Workspaces whose id begins with <paramref name="prefix"/> and whose kind is one of <paramref name="kinds"/> (null: any), after <paramref name="after"/>, oldest first.</summary>
    public Task<IReadOnlyList<WorkspaceRow>> ListAsync(string prefix, IReadOnlyList<string>? kinds, long after, int limit, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<WorkspaceRow>>(
            c => c.Query<WorkspaceRow>(
                $"{Columns} WHERE substr(key, 1, length(@prefix)) = @prefix AND sequence > @after {(kinds is null ? "" : "AND kind IN @kinds")} ORDER BY sequence LIMIT @limit",
                new { prefix = prefix.ToLowerInvariant(), after, limit, kinds }).AsList(),
            ct);

    /// <summary>The projects of a hub.</summary>
    public Task<IReadOnlyList<string>> ProjectsAsync(ArmId hub, CancellationToken ct) => database.ReadAsync<IReadOnlyList<string>>(
        c => c.Query<string>("SELECT id FROM workspaces WHERE hub = @hub ORDER BY sequence", new { hub = hub.Key }).AsList(),
        ct);

    /// <summary>A project of the hub, or null when it has none.</summary>
    public static string? AnyProject(WriteScope scope, ArmId hub) =>
        scope.QueryFirstOrDefault<string>("SELECT id FROM workspaces WHERE hub = @hub LIMIT 1", new { hub = hub.Key });

    public static void Insert(WriteScope scope, Workspace workspace, JsonObject document) => scope.Execute(
        "INSERT INTO workspaces (key, id, workspace_id, location, account, kind, hub) VALUES (@key, @id, @guid, @location, @account, @kind, @hub)",
        new
        {
            key = workspace.Ref.Id.Key,
            id = workspace.Ref.Id.Value,
            guid = workspace.WorkspaceId,
            location = workspace.Location,
            account = workspace.StorageAccount,
            kind = WorkspaceKind.Of(document),
            hub = WorkspaceKind.HubOf(document)?.Key,
        });

    public void Delete(WriteScope write, ArmId scope) => write.Execute(
        "DELETE FROM workspaces WHERE key = @key OR (key > @below AND key < @past)",
        new { key = scope.Key, below = scope.Key + "/", past = scope.Key + "0" });
}
