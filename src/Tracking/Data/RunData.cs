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
    public static void SetTags(WriteScope scope, RunRow run, IEnumerable<(string Name, string Value)> tags)
    {
        var set = tags.ToList();
        foreach (var (name, value) in set)
        {
            scope.Prepare("INSERT INTO run_tags (run, name, value, experiment, arrived) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET value = excluded.value, arrived = excluded.arrived")
                .Bind(1, run.Key).Bind(2, name).Bind(3, value).Bind(4, run.Experiment).Bind(5, scope.Sequence).Run();
        }

        if (set.Count > 0)
        {
            NoteText(scope, run);
            new RunChange(run) { Tags = set }.Announce(scope);
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

    public static bool DeleteTag(WriteScope scope, RunRow run, string name)
    {
        if (scope.Execute("DELETE FROM run_tags WHERE run = @Key AND name = @name", new { run.Key, name }) == 0)
        {
            return false;
        }

        scope.Execute(
            "INSERT INTO run_tags_gone (run, name, arrived) VALUES (@Key, @name, @arrived) ON CONFLICT DO UPDATE SET arrived = excluded.arrived",
            new { run.Key, name, arrived = scope.Sequence });
        NoteText(scope, run);
        new RunChange(run) { GoneTag = name }.Announce(scope);
        return true;
    }

    public static string? Tag(WriteScope scope, long run, string name) =>
        scope.QueryFirstOrDefault<string>("SELECT value FROM run_tags WHERE run = @run AND name = @name", new { run, name });

    /// <summary>Logs params; each is written once, and again only with the same value. Returns the first that would change.</summary>
    public static ParamChange? LogParams(WriteScope scope, RunRow run, IEnumerable<(string Name, string Value)> values)
    {
        var added = new List<(string, string)>();
        foreach (var (name, value) in values)
        {
            var changes = scope.Prepare("INSERT INTO run_params (run, name, value, experiment, arrived) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")
                .Bind(1, run.Key).Bind(2, name).Bind(3, value).Bind(4, run.Experiment).Bind(5, scope.Sequence).Run();
            if (changes > 0)
            {
                added.Add((name, value));
                continue;
            }

            var known = scope.Prepare("SELECT value FROM run_params WHERE run = ?1 AND name = ?2").Bind(1, run.Key).Bind(2, name);
            var old = known.Read() ? known.Text(0) : null;
            known.Reset();
            if (old != value)
            {
                return new ParamChange(name, old ?? "", value);
            }
        }

        if (added.Count > 0)
        {
            NoteText(scope, run);
            new RunChange(run) { Params = added }.Announce(scope);
        }

        return null;
    }

    public static ILookup<long, (string Name, string Value)> Tags(DbConnection connection, IReadOnlyList<long> runs) => Read(connection, "run_tags", runs);

    public static ILookup<long, (string Name, string Value)> Params(DbConnection connection, IReadOnlyList<long> runs) => Read(connection, "run_params", runs);

    /// <summary>Notes that the run says something else now, for whoever searches by text; in every unit that writes tags or params.</summary>
    private static void NoteText(WriteScope scope, RunRow run) => scope.Prepare("INSERT OR IGNORE INTO run_text_pending (run) VALUES (?1)").Bind(1, run.Key).Run();

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
