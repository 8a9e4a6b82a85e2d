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
            scope.Prepare("INSERT INTO run_tags (run, name, value, experiment) SELECT key, ?2, ?3, experiment FROM runs WHERE key = ?1 ON CONFLICT DO UPDATE SET value = excluded.value")
                .Bind(1, run).Bind(2, name).Bind(3, value).Run();
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
            var added = scope.Prepare("INSERT INTO run_params (run, name, value, experiment) SELECT key, ?2, ?3, experiment FROM runs WHERE key = ?1 ON CONFLICT DO NOTHING")
                .Bind(1, run).Bind(2, name).Bind(3, value).Run();
            if (added > 0)
            {
                continue;
            }

            var known = scope.Prepare("SELECT value FROM run_params WHERE run = ?1 AND name = ?2").Bind(1, run).Bind(2, name);
            var old = known.Read() ? known.Text(0) : null;
            known.Reset();
            if (old != value)
            {
                return new ParamChange(name, old ?? "", value);
            }
        }

        return null;
    }

    public static ILookup<long, (string Name, string Value)> Tags(DbConnection connection, IReadOnlyList<long> runs) => Read(connection, "run_tags", runs);

    public static ILookup<long, (string Name, string Value)> Params(DbConnection connection, IReadOnlyList<long> runs) => Read(connection, "run_params", runs);

    private static ILookup<long, (string Name, string Value)> Read(DbConnection connection, string table, IReadOnlyList<long> runs)
    {
        var rows = new List<(long Run, string Name, string Value)>();
        var read = connection.Prepare($"SELECT name, value FROM {table} WHERE run = ?1 ORDER BY name");
        foreach (var run in runs)
        {
            read.Bind(1, run);
            while (read.Read())
            {
                rows.Add((run, read.Text(0), read.Text(1)));
            }
        }

        return rows.ToLookup(row => row.Run, row => (row.Name, row.Value));
    }
}
