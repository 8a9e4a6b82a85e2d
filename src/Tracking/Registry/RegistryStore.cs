using System.Data.Common;
using System.Text.Json;
using Dapper;
using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Registry;

/// <summary>Reads MLflow's view of the registry, and keeps what only MLflow knows: aliases, and how a client named a version's source.</summary>
internal static class RegistryStore
{
    private const string ByName = ModelRow.Columns + " WHERE m.workspace = @workspace AND m.name = @name";
    private const string OneVersion = VersionRow.Columns + " WHERE v.model = @model AND v.version = @version COLLATE NOCASE";

    // The newest version of each stage: versions that are numbers by their number, others by their age.
    private const string Latest =
        "SELECT key FROM (SELECT key, row_number() OVER (PARTITION BY model, stage ORDER BY number DESC, key DESC) AS rank FROM model_versions "
        + "WHERE archived = 0 AND model IN (SELECT value FROM json_each(@models))) WHERE rank = 1";

    public static ModelRow? Find(DbConnection connection, WorkspaceRef workspace, string name) =>
        connection.QueryFirstOrDefault<ModelRow>(ByName, new { workspace = workspace.Id.Key, name });

    public static ModelRow? Find(WriteScope scope, WorkspaceRef workspace, string name) =>
        scope.QueryFirstOrDefault<ModelRow>(ByName, new { workspace = workspace.Id.Key, name });

    public static VersionRow? FindVersion(DbConnection connection, ModelRow model, string version) =>
        connection.QueryFirstOrDefault<VersionRow>(OneVersion, new { model = model.Id, version });

    public static VersionRow? FindVersion(WriteScope scope, ModelRow model, string version) =>
        scope.QueryFirstOrDefault<VersionRow>(OneVersion, new { model = model.Id, version });

    /// <summary>Models by key, in this order; those that are gone are left out.</summary>
    public static IReadOnlyList<ModelDetail> Models(DbConnection connection, IReadOnlyList<long> keys)
    {
        var found = connection.Query<ModelRow>(ModelRow.Columns + " WHERE m.key IN (SELECT value FROM json_each(@keys))", new { keys = Keys.Json(keys) }).ToDictionary(row => row.Key);
        var rows = keys.Where(found.ContainsKey).Select(key => found[key]).ToList();
        var ids = Json(rows.Select(row => row.Id));
        var tags = Tags(connection, "registered_model_tags", "model", keys);
        var aliases = connection.Query<(string Model, string Alias, string Version)>(
            "SELECT model, alias, version FROM model_aliases WHERE model IN (SELECT value FROM json_each(@ids)) ORDER BY alias", new { ids }).ToLookup(row => row.Model);
        var latest = Versions(connection, connection.Query<long>(Latest, new { models = ids }).AsList()).ToLookup(version => version.Row.Model);
        return [.. rows.Select(row => new ModelDetail(row, tags[row.Key], aliases[row.Id].Select(alias => (alias.Alias, alias.Version)), latest[row.Id].OrderBy(version => version.Row.Key)))];
    }

    /// <summary>Versions by key, in this order; those that are gone are left out.</summary>
    public static IReadOnlyList<VersionDetail> Versions(DbConnection connection, IReadOnlyList<long> keys)
    {
        var found = connection.Query<VersionRow>(VersionRow.Columns + " WHERE v.key IN (SELECT value FROM json_each(@keys))", new { keys = Keys.Json(keys) }).ToDictionary(row => row.Key);
        var rows = keys.Where(found.ContainsKey).Select(key => found[key]).ToList();
        var tags = Tags(connection, "model_version_tags", "version", keys);
        var aliases = connection.Query<(string Model, string Alias, string Version)>(
            "SELECT model, alias, version FROM model_aliases WHERE model IN (SELECT value FROM json_each(@ids)) ORDER BY alias",
            new { ids = Json(rows.Select(row => row.Model).Distinct()) }).ToLookup(row => (row.Model, row.Version), row => row.Alias);
        return [.. rows.Select(row => new VersionDetail(row, tags[row.Key], aliases[(row.Model, row.Version)]))];
    }

    /// <summary>The newest version of each of these stages, of every stage when none is named; stages compare without case.</summary>
    public static IReadOnlyList<VersionDetail> LatestVersions(DbConnection connection, ModelRow model, IReadOnlyList<string> stages)
    {
        var keys = connection.Query<long>(Latest, new { models = Json([model.Id]) }).Order().ToList();
        return [.. Versions(connection, keys).Where(version => stages.Count == 0 || stages.Contains(version.Row.Stage, StringComparer.OrdinalIgnoreCase))];
    }

    public static string? AliasVersion(DbConnection connection, ModelRow model, string alias) =>
        connection.QueryFirstOrDefault<string>("SELECT version FROM model_aliases WHERE model = @Id AND alias = @alias", new { model.Id, alias });

    public static void SetAlias(WriteScope scope, ModelRow model, string alias, string version) => scope.Execute(
        "INSERT INTO model_aliases (model, alias, version) VALUES (@Id, @alias, @version) ON CONFLICT DO UPDATE SET version = excluded.version",
        new { model.Id, alias, version });

    public static void DeleteAlias(WriteScope scope, ModelRow model, string alias) =>
        scope.Execute("DELETE FROM model_aliases WHERE model = @Id AND alias = @alias", new { model.Id, alias });

    /// <summary>Notes what the document of a version does not say.</summary>
    public static void SetOrigin(WriteScope scope, ArmId version, string source, string runLink, string? loggedModel) => scope.Execute(
        "UPDATE model_versions SET source = @source, run_link = @runLink, logged_model = @loggedModel WHERE id = @Key",
        new { version.Key, source, runLink, loggedModel });

    /// <summary>Takes along to a renamed model what its documents do not say: ages, aliases, and where the versions came from.</summary>
    public static void Move(WriteScope scope, ArmId from, ArmId to)
    {
        var ids = new { from = from.Key, to = to.Key };
        scope.Execute("UPDATE registered_models SET (created, user) = (SELECT created, user FROM registered_models WHERE id = @from) WHERE id = @to", ids);
        scope.Execute(
            "UPDATE model_versions SET (source, run_link, logged_model, created, updated, user) = "
            + "(SELECT source, run_link, logged_model, created, updated, user FROM model_versions old WHERE old.model = @from AND old.version = model_versions.version) WHERE model = @to",
            ids);
        scope.Execute("UPDATE model_aliases SET model = @to WHERE model = @from", ids);
    }

    public static IReadOnlyList<string> VersionsInStage(WriteScope scope, ModelRow model, string stage, string except) => scope.Query<string>(
        "SELECT version FROM model_versions WHERE model = @Id AND stage = @stage AND version != @except", new { model.Id, stage, except });

    private static ILookup<long, (string Name, string Value)> Tags(DbConnection connection, string table, string owner, IReadOnlyList<long> keys) => connection
        .Query<(long Owner, string Name, string Value)>(
            $"SELECT {owner}, name, value FROM {table} WHERE {owner} IN (SELECT value FROM json_each(@keys)) ORDER BY name", new { keys = Keys.Json(keys) })
        .ToLookup(row => row.Owner, row => (row.Name, row.Value));

    private static string Json(IEnumerable<string> values) => JsonSerializer.Serialize(values.ToArray(), TrackingJson.Default.StringArray);
}
