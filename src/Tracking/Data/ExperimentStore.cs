using System.Data.Common;
using System.Globalization;
using Dapper;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Tracking.Data;

/// <summary>A row of <c>experiments</c>; instants in Unix milliseconds.</summary>
internal sealed record ExperimentRow
{
    public long Key { get; init; }

    public string Name { get; init; } = "";

    public long Fallback { get; init; }

    public long Deleted { get; init; }

    public long Created { get; init; }

    public long Updated { get; init; }

    /// <summary>The id on the wire.</summary>
    public string Id => Fallback != 0 ? "0" : Key.ToString(CultureInfo.InvariantCulture);

    public bool IsDeleted => Deleted != 0;

    public Experiment ToContract() =>
        new(Id, Name, IsDeleted, DateTimeOffset.FromUnixTimeMilliseconds(Created), DateTimeOffset.FromUnixTimeMilliseconds(Updated));
}

/// <summary>The experiments of all workspaces and their tags.</summary>
internal sealed class ExperimentStore(IDatabase database, WorkspaceKeys workspaces) : IExperiments
{
    private const string Columns = "SELECT key, name, fallback, deleted, created, updated FROM experiments";

    private const string Named = Columns + " WHERE workspace = ?1 AND name = ?2";

    private const string Default = Columns + " WHERE workspace = ?1 AND fallback = ?2";

    private const string Known = Columns + " WHERE key = ?2 AND workspace = ?1 AND fallback = 0";

    public Experiment Ensure(WriteScope scope, WorkspaceRef workspace, string name) => EnsureRow(scope, workspaces.Ensure(scope, workspace), name).ToContract();

    public async Task<Experiment?> FindAsync(WorkspaceRef workspace, string name, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        return (await database.ReadAsync(connection => ByName(connection, key, name), ct))?.ToContract();
    }

    /// <summary>The experiment of that id, or else of that name.</summary>
    public async Task<ExperimentRow?> FindRowAsync(WorkspaceRef workspace, string idOrName, CancellationToken ct)
    {
        var key = await workspaces.EnsureAsync(workspace, ct);
        return await database.ReadAsync(connection => ById(connection, key, idOrName) ?? ByName(connection, key, idOrName), ct);
    }

    public static ExperimentRow EnsureRow(WriteScope scope, long workspace, string name)
    {
        if (ByName(scope, workspace, name) is not { } found)
        {
            return Insert(scope, workspace, name);
        }

        if (found.IsDeleted)
        {
            SetDeleted(scope, found.Key, deleted: false);
        }

        return found with { Deleted = 0 };
    }

    public static ExperimentRow Insert(WriteScope scope, long workspace, string name) => scope.QueryFirstOrDefault<ExperimentRow>(
        "INSERT INTO experiments (workspace, name, created, updated) VALUES (@workspace, @name, @now, @now) RETURNING key, name, fallback, deleted, created, updated",
        new { workspace, name, now = scope.Now.ToUnixTimeMilliseconds() })!;

    public static ExperimentRow? ByName(WriteScope scope, long workspace, string name) => Only(scope.Prepare(Named).Bind(1, workspace).Bind(2, name));

    public static ExperimentRow? ByName(DbConnection connection, long workspace, string name) => Only(connection.Prepare(Named).Bind(1, workspace).Bind(2, name));

    public static ExperimentRow? ById(WriteScope scope, long workspace, string id) =>
        Where(id) is { } where ? Only(scope.Prepare(where.Sql).Bind(1, workspace).Bind(2, where.Key)) : null;

    public static ExperimentRow? ById(DbConnection connection, long workspace, string id) =>
        Where(id) is { } where ? Only(connection.Prepare(where.Sql).Bind(1, workspace).Bind(2, where.Key)) : null;

    private static ExperimentRow? Only(Statement row)
    {
        var found = row.Read()
            ? new ExperimentRow { Key = row.Long(0), Name = row.Text(1), Fallback = row.Long(2), Deleted = row.Long(3), Created = row.Long(4), Updated = row.Long(5) }
            : null;
        row.Reset();
        return found;
    }

    public static IReadOnlyList<ExperimentRow> ByKeys(DbConnection connection, IReadOnlyList<long> keys)
    {
        var rows = connection.Query<ExperimentRow>(Columns + " WHERE key IN (SELECT value FROM json_each(@keys))", new { keys = Keys.Json(keys) }).ToDictionary(row => row.Key);
        return [.. keys.Where(rows.ContainsKey).Select(key => rows[key])];
    }

    public static void SetDeleted(WriteScope scope, long key, bool deleted) => scope.Execute(
        "UPDATE experiments SET deleted = @deleted, updated = @now WHERE key = @key",
        new { key, deleted = deleted ? 1 : 0, now = scope.Now.ToUnixTimeMilliseconds() });

    public static void Rename(WriteScope scope, long key, string name) => scope.Execute(
        "UPDATE experiments SET name = @name, updated = @now WHERE key = @key",
        new { key, name, now = scope.Now.ToUnixTimeMilliseconds() });

    public static void SetTag(WriteScope scope, long key, string name, string value) => scope.Execute(
        "INSERT INTO experiment_tags (experiment, name, value) VALUES (@key, @name, @value) ON CONFLICT DO UPDATE SET value = excluded.value",
        new { key, name, value });

    public static bool DeleteTag(WriteScope scope, long key, string name) =>
        scope.Execute("DELETE FROM experiment_tags WHERE experiment = @key AND name = @name", new { key, name }) > 0;

    public static ILookup<long, (string Name, string Value)> Tags(DbConnection connection, IReadOnlyList<long> keys) => connection
        .Query<(long Owner, string Name, string Value)>(
            "SELECT experiment, name, value FROM experiment_tags WHERE experiment IN (SELECT value FROM json_each(@keys)) ORDER BY name",
            new { keys = Keys.Json(keys) })
        .ToLookup(row => row.Owner, row => (row.Name, row.Value));

    private static (string Sql, long Key)? Where(string id) => id == "0"
        ? (Default, 1)
        : long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var key)
            ? (Known, key)
            : null;
}
