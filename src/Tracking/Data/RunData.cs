using System.Data.Common;
using Dapper;
using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>Tag names that mean something to this server.</summary>
internal static class MlflowTags
{
    public const string RunName = "mlflow.runName";
    public const string User = "mlflow.user";
    public const string SourceType = "mlflow.source.type";
    public const string ParentRun = "mlflow.parentRunId";
    public const string LoggedModels = "mlflow.log-model.history";
}

/// <summary>A param that already has another value.</summary>
internal sealed record ParamChange(string Name, string Old, string New);

/// <summary>The tags and params of runs.</summary>
internal static class RunData
{
    public static void SetTags(WriteScope scope, long run, IEnumerable<(string Name, string Value)> tags)
    {
        foreach (var (name, value) in tags)
        {
            scope.Execute(
                "INSERT INTO run_tags (run, name, value, experiment) SELECT key, @name, @value, experiment FROM runs WHERE key = @run ON CONFLICT DO UPDATE SET value = excluded.value",
                new { run, name, value });
        }
    }

    public static void SetProperties(WriteScope scope, long run, IEnumerable<KeyValuePair<string, string>> properties)
    {
        foreach (var (name, value) in properties)
        {
            scope.Execute(
                "INSERT INTO run_properties (run, name, value) VALUES (@run, @name, @value) ON CONFLICT DO UPDATE SET value = excluded.value",
                new { run, name, value });
        }
    }

    public static bool DeleteTag(WriteScope scope, long run, string name) =>
        scope.Execute("DELETE FROM run_tags WHERE run = @run AND name = @name", new { run, name }) > 0;

    public static string? Tag(WriteScope scope, long run, string name) =>
        scope.QueryFirstOrDefault<string>("SELECT value FROM run_tags WHERE run = @run AND name = @name", new { run, name });

    /// <summary>Logs params; each is written once, and again only with the same value. Returns the first that would change.</summary>
    public static ParamChange? LogParams(WriteScope scope, long run, IEnumerable<(string Name, string Value)> values)
    {
        foreach (var (name, value) in values)
        {
            if (scope.Execute("INSERT INTO run_params (run, name, value, experiment) SELECT key, @name, @value, experiment FROM runs WHERE key = @run ON CONFLICT DO NOTHING", new { run, name, value }) > 0)
            {
                continue;
            }

            var old = scope.QueryFirstOrDefault<string>("SELECT value FROM run_params WHERE run = @run AND name = @name", new { run, name });
            if (old != value)
            {
                return new ParamChange(name, old ?? "", value);
            }
        }

        return null;
    }

    public static ILookup<long, (string Name, string Value)> Tags(DbConnection connection, IReadOnlyList<long> runs) => Read(connection, "run_tags", runs);

    public static ILookup<long, (string Name, string Value)> Params(DbConnection connection, IReadOnlyList<long> runs) => Read(connection, "run_params", runs);

    private static ILookup<long, (string Name, string Value)> Read(DbConnection connection, string table, IReadOnlyList<long> runs) => connection
        .Query<(long Run, string Name, string Value)>($"SELECT run, name, value FROM {table} WHERE run IN (SELECT value FROM json_each(@runs)) ORDER BY run, name", new { runs = Keys.Json(runs) })
        .ToLookup(row => row.Run, row => (row.Name, row.Value));
}
