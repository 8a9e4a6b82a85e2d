using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>The state of a logged model, with the wire's numbers.</summary>
internal enum LoggedModelStatus
{
    Pending = 1,
    Ready = 2,
    UploadFailed = 3,
}

/// <summary>A row of <c>logged_models</c>; instants in Unix milliseconds.</summary>
internal sealed record LoggedModelRow
{
    public const string Columns =
        "SELECT l.key, l.id, l.experiment, e.fallback, l.name, l.type, l.source_run AS sourceRun, l.status, l.created, l.updated, l.deleted FROM logged_models l JOIN experiments e ON e.key = l.experiment";

    public long Key { get; init; }

    public string Id { get; init; } = "";

    public long Experiment { get; init; }

    public long Fallback { get; init; }

    public string Name { get; init; } = "";

    public string? Type { get; init; }

    public string? SourceRun { get; init; }

    public long Status { get; init; }

    public long Created { get; init; }

    public long Updated { get; init; }

    public long Deleted { get; init; }

    public string ExperimentId => Fallback != 0 ? "0" : Experiment.ToString(CultureInfo.InvariantCulture);

    /// <summary>Where the files lie in the artifact store.</summary>
    public string Prefix => "LoggedModel/" + Id;
}

/// <summary>A metric of a logged model, with the run that logged it and the dataset it was measured on.</summary>
internal sealed record LoggedModelMetric(long Model, string Name, string Run, string DatasetName, string DatasetDigest, long Step, long Time, long Nan, double Value)
{
    public double Real => Nan != 0 ? double.NaN : Value;
}

/// <summary>A logged model with everything that hangs on it.</summary>
internal sealed record LoggedModelDetail(
    LoggedModelRow Row,
    IEnumerable<(string Name, string Value)> Tags,
    IEnumerable<(string Name, string Value)> Params,
    IEnumerable<LoggedModelMetric> Metrics,
    IEnumerable<(string Name, string Version)> Registrations);

/// <summary>Logged models and what is logged on them.</summary>
internal sealed class LoggedModelStore(MetricStore metrics)
{
    private const string ById = LoggedModelRow.Columns + " WHERE l.workspace = @workspace AND l.id = @id AND l.deleted = 0";

    public static LoggedModelRow? Find(DbConnection connection, long workspace, string id) => connection.QueryFirstOrDefault<LoggedModelRow>(ById, new { workspace, id });

    public static LoggedModelRow? Find(WriteScope scope, long workspace, string id) => scope.QueryFirstOrDefault<LoggedModelRow>(ById, new { workspace, id });

    public static LoggedModelRow Insert(WriteScope scope, long workspace, LoggedModelRow model)
    {
        var id = "m-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        scope.Execute(
            "INSERT INTO logged_models (workspace, id, experiment, name, type, source_run, status, created, updated) VALUES (@workspace, @id, @Experiment, @Name, @Type, @SourceRun, @status, @now, @now)",
            new { workspace, id, model.Experiment, model.Name, model.Type, model.SourceRun, status = (int)LoggedModelStatus.Pending, now = scope.Now.ToUnixTimeMilliseconds() });
        return Find(scope, workspace, id)!;
    }

    public static void SetStatus(WriteScope scope, long key, LoggedModelStatus status) =>
        scope.Execute("UPDATE logged_models SET status = @status, updated = @now WHERE key = @key", new { key, status = (int)status, now = scope.Now.ToUnixTimeMilliseconds() });

    public static void SetDeleted(WriteScope scope, long key) =>
        scope.Execute("UPDATE logged_models SET deleted = 1, updated = @now WHERE key = @key", new { key, now = scope.Now.ToUnixTimeMilliseconds() });

    public static void SetTags(WriteScope scope, long model, IEnumerable<(string Name, string Value)> tags) => Set(scope, "logged_model_tags", model, tags);

    public static void SetParams(WriteScope scope, long model, IEnumerable<(string Name, string Value)> values) => Set(scope, "logged_model_params", model, values);

    public static bool DeleteTag(WriteScope scope, long model, string name) =>
        scope.Execute("DELETE FROM logged_model_tags WHERE model = @model AND name = @name", new { model, name }) > 0;

    /// <summary>Notes a point of a run against the model it was measured on.</summary>
    public void LogMetric(WriteScope scope, LoggedModelRow model, RunRow run, ModelPoint point)
    {
        var nan = double.IsNaN(point.Metric.Value);
        scope.Execute(
            "INSERT INTO logged_model_metrics (model, metric, run, dataset_name, dataset_digest, step, time, nan, value) VALUES (@Key, @metric, @run, @DatasetName, @DatasetDigest, @Step, @Time, @nan, @value) "
            + "ON CONFLICT (model, metric, run, dataset_name, dataset_digest) DO UPDATE SET step = excluded.step, time = excluded.time, nan = excluded.nan, value = excluded.value "
            + "WHERE (excluded.step, excluded.time, excluded.nan, excluded.value) > (step, time, nan, value)",
            new
            {
                model.Key,
                metric = metrics.Name(scope, point.Metric.Name),
                run = run.Key,
                point.DatasetName,
                point.DatasetDigest,
                point.Metric.Step,
                point.Metric.Time,
                nan = nan ? 1 : 0,
                value = nan ? 0 : point.Metric.Value,
            });
    }

    /// <summary>Models by key, in this order; those that are gone are left out.</summary>
    public static IReadOnlyList<LoggedModelDetail> Read(DbConnection connection, IReadOnlyList<long> keys)
    {
        var parameters = new { keys = Keys.Json(keys) };
        var rows = connection.Query<LoggedModelRow>(LoggedModelRow.Columns + " WHERE l.key IN (SELECT value FROM json_each(@keys))", parameters).ToDictionary(row => row.Key);
        var (tags, values) = (Pairs(connection, "logged_model_tags", keys), Pairs(connection, "logged_model_params", keys));
        var found = connection.Query<LoggedModelMetric>(
            "SELECT m.model AS Model, n.name AS Name, r.id AS Run, m.dataset_name AS DatasetName, m.dataset_digest AS DatasetDigest, m.step AS Step, m.time AS Time, m.nan AS Nan, m.value AS Value "
            + "FROM logged_model_metrics m JOIN metric_names n ON n.key = m.metric JOIN runs r ON r.key = m.run WHERE m.model IN (SELECT value FROM json_each(@keys)) ORDER BY n.name, m.key",
            parameters).ToLookup(metric => metric.Model);
        var registrations = connection.Query<(long Model, string Name, string Version)>(
            "SELECT l.key, m.name, v.version FROM logged_models l JOIN run_workspaces w ON w.key = l.workspace "
            + "JOIN model_versions v ON v.workspace = w.id AND v.logged_model = l.id JOIN registered_models m ON m.id = v.model WHERE l.key IN (SELECT value FROM json_each(@keys)) ORDER BY v.key",
            parameters).ToLookup(row => row.Model, row => (row.Name, row.Version));
        return [.. keys.Where(rows.ContainsKey).Select(key => new LoggedModelDetail(rows[key], tags[key], values[key], found[key], registrations[key]))];
    }

    private static ILookup<long, (string Name, string Value)> Pairs(DbConnection connection, string table, IReadOnlyList<long> keys) => connection
        .Query<(long Owner, string Name, string Value)>(
            $"SELECT model, name, value FROM {table} WHERE model IN (SELECT value FROM json_each(@keys)) ORDER BY name", new { keys = Keys.Json(keys) })
        .ToLookup(row => row.Owner, row => (row.Name, row.Value));

    private static void Set(WriteScope scope, string table, long model, IEnumerable<(string Name, string Value)> pairs)
    {
        foreach (var (name, value) in pairs)
        {
            scope.Execute($"INSERT INTO {table} (model, name, value) VALUES (@model, @name, @value) ON CONFLICT DO UPDATE SET value = excluded.value", new { model, name, value });
        }

        scope.Execute("UPDATE logged_models SET updated = @now WHERE key = @model", new { model, now = scope.Now.ToUnixTimeMilliseconds() });
    }
}

/// <summary>A point that was measured on a logged model.</summary>
internal sealed record ModelPoint(string Model, string DatasetName, string DatasetDigest, MetricPoint Metric);
