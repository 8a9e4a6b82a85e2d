using System.Data.Common;
using Dapper;
using Zaffre.Kernel;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Mlflow;

internal enum SearchView
{
    Active,
    Deleted,
    All,
}

/// <summary>A search, parsed; running it gives the keys of one page.</summary>
internal sealed record SearchQuery
{
    private static readonly string RunStatusText =
        "CASE r.status " + string.Concat(Enum.GetValues<RunStatus>().Select(status => $"WHEN {(int)status} THEN '{status.ToMlflow()}' ")) + "END";

    /// <summary>Runs are <c>r</c>, their experiment is <c>e</c>.</summary>
    public static SearchTables RunTables { get; } = new(
        "r.key",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["status"] = RunStatusText,
            ["artifact_uri"] = "(@uriRoot || CASE e.fallback WHEN 1 THEN '0' ELSE e.key END || @uriMiddle || r.id || '/artifacts')",
            ["user_id"] = "r.user",
            ["run_id"] = "r.id COLLATE BINARY",
            ["run_name"] = "r.name",
            ["start_time"] = "r.start_time",
            ["end_time"] = "r.ended",
        },
        "run_tags",
        "run")
    {
        From = "runs r JOIN experiments e ON e.key = r.experiment",
        Order = [("start_time", true), ("run_id", false)],
        Nullable = new HashSet<string>(StringComparer.Ordinal) { "end_time" },
    };

    public static SearchTables ExperimentTables { get; } = new(
        "e.key",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = "e.name",
            ["creation_time"] = "e.created",
            ["last_update_time"] = "e.updated",
            ["experiment_id"] = "CASE e.fallback WHEN 1 THEN 0 ELSE e.key END",
        },
        "experiment_tags",
        "experiment")
    {
        From = "experiments e",
        Order = [("creation_time", true), ("experiment_id", false)],
    };

    /// <summary>Logged models are <c>l</c>, their experiment is <c>e</c>.</summary>
    public static SearchTables LoggedModelTables { get; } = new(
        "l.key",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = "l.name",
            ["model_id"] = "l.id",
            ["model_type"] = "l.type",
            ["status"] = "CASE l.status WHEN 2 THEN 'READY' WHEN 3 THEN 'FAILED' ELSE 'PENDING' END",
            ["source_run_id"] = "l.source_run",
            ["creation_timestamp"] = "l.created",
            ["last_updated_timestamp"] = "l.updated",
        },
        "logged_model_tags",
        "model")
    {
        From = "logged_models l JOIN experiments e ON e.key = l.experiment",
        Order = [("creation_timestamp", true), ("model_id", false)],
        Nullable = new HashSet<string>(StringComparer.Ordinal) { "model_type", "source_run_id" },
        OfLoggedModels = true,
    };

    /// <summary>Traces are <c>t</c>, their experiment is <c>e</c>.</summary>
    public static SearchTables TraceTables { get; } = new(
        "t.key",
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["request_id"] = "t.id",
            ["status"] = "CASE t.state WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' WHEN 3 THEN 'IN_PROGRESS' ELSE 'STATE_UNSPECIFIED' END",
            ["client_request_id"] = "t.client_request_id",
            ["name"] = "(SELECT value FROM trace_tags WHERE trace = t.key AND name = 'mlflow.traceName')",
            ["run_id"] = "(SELECT min(run) FROM trace_runs WHERE trace = t.key)",
            ["timestamp"] = "t.time",
            ["execution_time"] = "t.duration",
            ["end_time"] = "(t.time + t.duration)",
            ["experiment_id"] = "CASE e.fallback WHEN 1 THEN 0 ELSE e.key END",
            ["prompt"] = "coalesce((SELECT value FROM trace_tags WHERE trace = t.key AND name = 'mlflow.linkedPrompts'), '')",
            ["text"] = "coalesce(t.request_preview, '')",
        },
        "trace_tags",
        "trace")
    {
        From = "traces t JOIN experiments e ON e.key = t.experiment",
        Order = [("timestamp", true), ("request_id", false)],
        Nullable = new HashSet<string>(StringComparer.Ordinal) { "execution_time", "end_time", "client_request_id", "name", "run_id" },
        Rows = new Dictionary<string, (string, string)>(StringComparer.Ordinal)
        {
            ["run_id"] = ("trace_runs k WHERE k.trace = t.key", "k.run"),
            ["prompt"] = ("trace_tags g, json_each(CASE WHEN json_valid(g.value) THEN g.value ELSE '[]' END) k WHERE g.trace = t.key AND g.name = 'mlflow.linkedPrompts'", "(json_extract(k.value, '$.name') || '/' || json_extract(k.value, '$.version'))"),
            ["text"] = ("trace_spans k WHERE k.trace = t.key", "k.document"),
        },
    };

    public required SearchTables Tables { get; init; }

    public required IReadOnlyList<FilterTerm> Filter { get; init; }

    public required IReadOnlyList<SortTerm> Order { get; init; }

    public required SearchView View { get; init; }

    public required int Top { get; init; }

    public string? Token { get; init; }

    /// <summary>What tells this search from another: a page token is good for one search only.</summary>
    public string Signature { get; init; } = "";

    private bool OfRuns => ReferenceEquals(Tables, RunTables);

    /// <summary>The keys of the page in order; <paramref name="experiments"/> are those whose runs are searched.</summary>
    public Page<long> Run(DbConnection connection, long workspace, IReadOnlyList<long> experiments, ArtifactUris uris)
    {
        if (OfRuns && experiments.Count == 0)
        {
            return new Page<long>([], null);
        }

        SearchSql New()
        {
            var sql = new SearchSql(Tables);
            sql.Parameters.Add("workspace", workspace);
            sql.Parameters.Add("uriRoot", uris.Root);
            sql.Parameters.Add("uriMiddle", uris.Middle);
            return sql;
        }

        if (!OfRuns)
        {
            return Run(connection, Scoped(New(), experiments));
        }

        if (FewRuns.Find(connection, Filter, experiments) is { } few)
        {
            var sql = Scoped(New(), experiments);
            sql.From = $"json_each({sql.Add(Keys.Json(few))}) few CROSS JOIN {Tables.From}";
            sql.And("r.key = few.value");
            return Run(connection, sql);
        }

        return SortStretch.Of(Tables, First) is { } stretches
            ? Run(connection, stretches, SearchBranches.Of(connection, experiments, View), New)
            : Run(connection, Scoped(New(), experiments));
    }

    private SortTerm First => Order.Count > 0 ? Order[0] : new SortTerm(FilterEntity.Attribute, Tables.Order[0].Attribute, Tables.Order[0].Descending);

    /// <summary>The page out of as many stretches of its order as it needs.</summary>
    private Page<long> Run(DbConnection connection, IReadOnlyList<SortStretch> stretches, IReadOnlyList<(long Experiment, bool Deleted)> branches, Func<SearchSql> create)
    {
        var rows = new List<(long Key, object[] Sort)>();
        foreach (var stretch in stretches)
        {
            var sql = Of(stretch, create());
            var after = After(sql);
            if (rows.Count > Top || (after is [long rank, ..] && rank > stretch.Rank))
            {
                continue;
            }

            if (after is [long at, ..] && at == stretch.Rank)
            {
                sql.After(after);
            }

            var more = Statements(sql, stretch, branches).SelectMany(statement => Read(connection, sql, statement, Top + 1 - rows.Count)).ToList();
            more.Sort((left, right) => SearchBranches.Compare(left.Sort, right.Sort, sql.Descending));
            rows.AddRange(more.Take(Top + 1 - rows.Count));
        }

        return PageOf(rows);
    }

    /// <summary>The search of one stretch, in each branch.</summary>
    public SearchSql Of(SortStretch stretch, SearchSql sql)
    {
        sql.And("r.experiment = @experiment AND r.deleted = @deleted");
        Narrow(sql);
        sql.By(First, stretch);
        Sort(sql, from: 1);
        return sql;
    }

    /// <summary>The statements that read a stretch of the branches, with their order.</summary>
    public IEnumerable<string> Statements(SearchSql sql, SortStretch stretch, IReadOnlyList<(long Experiment, bool Deleted)> branches) =>
        SearchBranches.Statements(sql, Select(sql), branches, stretch.Parts).Select(statement => $"{statement} ORDER BY {sql.OrderBy}");

    /// <summary>The keys of the page in order; <paramref name="sql"/> holds what limits the search besides the filter.</summary>
    public Page<long> Run(DbConnection connection, SearchSql sql)
    {
        Narrow(sql);
        Sort(sql);
        if (After(sql) is { } after)
        {
            sql.After(after);
        }

        return PageOf(Read(connection, sql, $"{Select(sql)} ORDER BY {sql.OrderBy}", Top + 1));
    }

    private void Narrow(SearchSql sql)
    {
        foreach (var term in Filter)
        {
            sql.And(term);
        }
    }

    private IReadOnlyList<object>? After(SearchSql sql) => Token is null
        ? null
        : PageToken.Read(Token, sql.SortKeys, Signature) ?? throw MlflowErrors.InvalidValue("page_token", $"'{Token}'", "it is not a token of this search.");

    private SearchSql Scoped(SearchSql sql, IReadOnlyList<long> experiments)
    {
        sql.And(OfRuns ? $"r.experiment IN ({string.Join(", ", experiments)})" : "e.workspace = @workspace");
        sql.And((View, OfRuns) switch
        {
            (SearchView.Active, true) => "r.deleted = 0 AND e.deleted = 0",
            (SearchView.Deleted, true) => "(r.deleted = 1 OR e.deleted = 1)",
            (SearchView.Active, false) => "e.deleted = 0",
            (SearchView.Deleted, false) => "e.deleted = 1",
            _ => "1",
        });
        return sql;
    }

    private string Select(SearchSql sql) => $"SELECT {Tables.Key} AS key{sql.SortColumns} FROM {sql.From}{sql.Joins} WHERE {sql.Conditions}";

    private void Sort(SearchSql sql, int from = 0)
    {
        foreach (var term in Order.Skip(from))
        {
            sql.By(term);
        }

        var sorted = from == 0 ? Order : [First, .. Order.Skip(from)];
        foreach (var (name, descending) in Tables.Order)
        {
            if (!sorted.Any(term => term.Entity == FilterEntity.Attribute && term.Key == name))
            {
                sql.ByAttribute(name, descending);
            }
        }
    }

    private static List<(long Key, object[] Sort)> Read(DbConnection connection, SearchSql sql, string select, int limit)
    {
        var rows = new List<(long, object[])>();
        try
        {
            using var reader = connection.ExecuteReader($"{select} LIMIT {limit}", sql.Parameters);
            while (reader.Read())
            {
                rows.Add((reader.GetInt64(0), [.. Enumerable.Range(1, sql.SortKeys).Select(reader.GetValue)]));
            }

            return rows;
        }
        catch (DbException exception) when (exception.Message.Contains(Patterns.TookTooLong, StringComparison.Ordinal))
        {
            throw MlflowErrors.Invalid($"{Patterns.TookTooLong}: use a simpler expression, or LIKE.");
        }
    }

    private Page<long> PageOf(List<(long Key, object[] Sort)> rows) =>
        new([.. rows.Take(Top).Select(row => row.Key)], rows.Count > Top ? PageToken.Write(rows[Top - 1].Sort, Signature) : null);
}
