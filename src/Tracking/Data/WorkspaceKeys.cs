using System.Collections.Concurrent;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Tracking.Data;

/// <summary>The store's integer keys of workspaces. A workspace gets one, together with its Default experiment, when it is first used.</summary>
internal sealed class WorkspaceKeys(IDatabase database)
{
    private readonly ConcurrentDictionary<string, long> known = new(StringComparer.Ordinal);

    public async ValueTask<long> EnsureAsync(WorkspaceRef workspace, CancellationToken ct) =>
        known.TryGetValue(workspace.Id.Key, out var key) ? key : await database.WriteAsync(scope => Ensure(scope, workspace), ct);

    public long Ensure(WriteScope scope, WorkspaceRef workspace)
    {
        var id = workspace.Id.Key;
        if (known.TryGetValue(id, out var key))
        {
            return key;
        }

        var found = scope.QueryFirstOrDefault<long?>("SELECT key FROM run_workspaces WHERE id = @id", new { id });
        key = found ?? Insert(scope, workspace);
        scope.OnCommitted(() => known[id] = key);
        return key;
    }

    /// <summary>Forgets the workspaces at and below a scope that is deleted by this unit.</summary>
    public void Forget(WriteScope scope, string id) => scope.OnCommitted(() =>
    {
        foreach (var key in known.Keys.Where(key => key == id || key.StartsWith(id + "/", StringComparison.Ordinal)))
        {
            known.TryRemove(key, out _);
        }
    });

    private static long Insert(WriteScope scope, WorkspaceRef workspace)
    {
        var key = scope.QueryFirstOrDefault<long>(
            "INSERT INTO run_workspaces (id, subscription, resource_group, name) VALUES (@id, @SubscriptionId, @ResourceGroup, @Name) RETURNING key",
            new { id = workspace.Id.Key, workspace.SubscriptionId, workspace.ResourceGroup, workspace.Name });
        scope.Execute(
            "INSERT INTO experiments (workspace, name, fallback, created, updated) VALUES (@key, 'Default', 1, @now, @now)",
            new { key, now = scope.Now.ToUnixTimeMilliseconds() });
        return key;
    }
}
