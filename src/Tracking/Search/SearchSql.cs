using System.Globalization;
using System.Text;
using Dapper;

namespace Zaffre.Tracking.Search;

/// <summary>Where the searched rows and what hangs on them lie. <paramref name="Key"/> is the row's key column, <paramref name="Attributes"/> maps a name to its column or expression.</summary>
internal sealed record SearchTables(string Key, IReadOnlyDictionary<string, string> Attributes, string TagTable, string TagOwner)
{
    /// <summary>The FROM clause.</summary>
    public required string From { get; init; }

    /// <summary>The order of rows that the client's order leaves open; the whole of it must be unique.</summary>
    public required IReadOnlyList<(string Attribute, bool Descending)> Order { get; init; }

    /// <summary>Metrics and params of logged models lie elsewhere than those of runs.</summary>
    public bool OfLoggedModels { get; init; }

    /// <summary>The table of params and its owner column.</summary>
    public (string Table, string Owner) Params => OfLoggedModels ? ("logged_model_params", "model") : ("run_params", "run");

    /// <summary>Attributes that are rows of another table: which table (<c>k</c>), and the column that is compared.</summary>
    public IReadOnlyDictionary<string, (string Rows, string Column)> Rows { get; init; } = new Dictionary<string, (string, string)>(StringComparer.Ordinal);

    /// <summary>Attributes that may be NULL.</summary>
    public IReadOnlySet<string> Nullable { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}

/// <summary>
/// Compiles filters and orders to SQL, values always as parameters. Sorting puts what has no value last and NaN right before
/// it, in either direction; every key of the order is therefore never NULL, so a page continues by comparing keys.
/// </summary>
internal sealed class SearchSql(SearchTables tables, IReadOnlyList<MetricDataset>? datasets = null)
{
    private readonly StringBuilder joins = new();
    private readonly List<string> conditions = [];
    private readonly List<(string Expression, bool Descending)> keys = [];
    private SortStretch? stretch;
    private int parameters;

    public DynamicParameters Parameters { get; } = new();

    public string Joins => joins.ToString();

    public string Conditions => string.Join(" AND ", conditions);

    public string SortColumns => string.Concat(keys.Select((key, i) => $", {key.Expression} AS s{i}")) + (stretch?.Indexed is { } indexed ? $", {indexed} AS indexed" : "");

    /// <summary>By the names of <see cref="SortColumns"/>. Keys that are the same in all rows are left out.</summary>
    public string OrderBy => string.Join(", ", (stretch?.Indexed is null ? [] : new[] { "indexed" + (keys[1].Descending ? " DESC" : "") })
        .Concat(keys.Select((key, i) => $"s{i}{(key.Descending ? " DESC" : "")}").Skip(stretch is null ? 0 : stretch.Constant ? 2 : 1)));

    /// <summary>Which of the keys sort downwards.</summary>
    public IReadOnlyList<bool> Descending => keys.ConvertAll(key => key.Descending);

    public int SortKeys => keys.Count;

    /// <summary>The FROM clause, without what the order joins.</summary>
    public string From { get; set; } = tables.From;

    public string Add(object value)
    {
        var name = "p" + parameters++.ToString(CultureInfo.InvariantCulture);
        Parameters.Add(name, value);
        return "@" + name;
    }

    public void And(string condition) => conditions.Add(condition);

    public void And(FilterTerm term) => conditions.Add(Condition(term));

    /// <summary>The condition of one comparison; its values become parameters.</summary>
    public string Condition(FilterTerm term) => term.Entity switch
    {
        FilterEntity.Attribute when tables.Rows.TryGetValue(term.Key, out var rows) => $"EXISTS (SELECT 1 FROM {rows.Rows} AND {Compare(rows.Column, term)})",
        FilterEntity.Attribute => Compare(tables.Attributes[term.Key], term),
        FilterEntity.Metric => Metric(term),
        FilterEntity.Param => Keyed(tables.Params.Table, tables.Params.Owner, term),
        FilterEntity.Dataset => Dataset(term),
        FilterEntity.Metadata => Keyed("trace_metadata", "trace", term),
        FilterEntity.Feedback or FilterEntity.Expectation => Keyed($"(SELECT trace, name, value FROM trace_assessments WHERE kind = '{term.Entity.ToString().ToLowerInvariant()}' AND valid = 1)", "trace", term),
        FilterEntity.Span => $"EXISTS (SELECT 1 FROM trace_spans k WHERE k.trace = {tables.Key} AND {Compare(Span(term.Key), term)})",
        FilterEntity.Issue => $"EXISTS (SELECT 1 FROM trace_assessments k WHERE k.trace = {tables.Key} AND k.kind = 'issue' AND k.valid = 1 AND {Compare("k.name", term)})",
        _ => Keyed(tables.TagTable, tables.TagOwner, term),
    };

    /// <summary>Sorts one stretch of the order by <paramref name="term"/>, which comes first in the order.</summary>
    public void By(SortTerm term, SortStretch only)
    {
        (stretch, From) = (only, only.From);
        Parameters.Add("first", term.Key);
        And(only.Condition);
        keys.Add((only.Rank.ToString(CultureInfo.InvariantCulture), false));
        keys.Add((only.Value, term.Descending));
    }

    public void By(SortTerm term)
    {
        if (term.Entity == FilterEntity.Attribute)
        {
            ByAttribute(term.Key, term.Descending);
            return;
        }

        var alias = "o" + keys.Count.ToString(CultureInfo.InvariantCulture);
        var name = Add(term.Key);
        if (term.Entity == FilterEntity.Metric)
        {
            joins.Append(MetricJoin(alias, name, term.Dataset));
            keys.Add(($"CASE WHEN {alias}.metric IS NULL THEN 2 ELSE {alias}.nan END", false));
            keys.Add(($"coalesce({alias}.value, 0.0)", term.Descending));
            return;
        }

        var (table, owner) = term.Entity switch
        {
            FilterEntity.Param => tables.Params,
            FilterEntity.Metadata => ("trace_metadata", "trace"),
            _ => (tables.TagTable, tables.TagOwner),
        };
        joins.Append($" LEFT JOIN {table} {alias} ON {alias}.{owner} = {tables.Key} AND {alias}.name = {name}");
        keys.Add(($"CASE WHEN {alias}.{owner} IS NULL THEN 2 ELSE 0 END", false));
        keys.Add(($"coalesce({alias}.value, '')", term.Descending));
    }

    public void ByAttribute(string name, bool descending)
    {
        var expression = tables.Attributes[name];
        if (tables.Nullable.Contains(name))
        {
            keys.Add(($"CASE WHEN {expression} IS NULL THEN 2 ELSE 0 END", false));
            expression = $"coalesce({expression}, 0)";
        }

        keys.Add((expression, descending));
    }

    /// <summary>Continues after the row whose sort keys are <paramref name="last"/>.</summary>
    public void After(IReadOnlyList<object> last)
    {
        var equal = "";
        var alternatives = new List<string>();
        for (var i = 0; i < keys.Count; i++)
        {
            var value = Add(last[i]);
            alternatives.Add($"({equal}{keys[i].Expression} {(keys[i].Descending ? "<" : ">")} {value})");
            equal += $"{keys[i].Expression} = {value} AND ";
        }

        And("(" + string.Join(" OR ", alternatives) + ")");

        // Follows from the above, and lets an index begin there.
        var first = stretch is null ? 0 : stretch.Constant ? 2 : 1;
        var (column, bound) = stretch?.Indexed is { } indexed ? (indexed, SortStretch.IndexedOf(Add(last[first]))) : (keys[first].Expression, Add(last[first]));
        And($"{column} {(keys[first].Descending ? "<=" : ">=")} {bound}");
    }

    private string Metric(FilterTerm term)
    {
        var name = $"(SELECT key FROM metric_names WHERE name = {Add(term.Key)})";
        var value = $"m.value {Spell(term.Operator)} {Add(term.Number!.Value)}";
        var condition = term.Operator == FilterOperator.NotEqual ? $"(m.nan = 1 OR {value})" : $"m.nan = 0 AND {value}";
        return tables.OfLoggedModels
            ? $"EXISTS (SELECT 1 FROM logged_model_metrics m WHERE m.model = {tables.Key} AND m.metric = {name}{OnDatasets("m", datasets ?? [])} AND {condition})"
            : $"EXISTS (SELECT 1 FROM run_latest m WHERE m.run = {tables.Key} AND m.metric = {name} AND {condition})";
    }

    /// <summary>That a logged model has a metric on one of the datasets of this search.</summary>
    public string MeasuredOnDatasets() => $"EXISTS (SELECT 1 FROM logged_model_metrics m WHERE m.model = {tables.Key}{OnDatasets("m", datasets ?? [])})";

    /// <summary>The newest value decides where a model has several of a metric.</summary>
    private string MetricJoin(string alias, string name, MetricDataset? dataset)
    {
        var metric = $"(SELECT key FROM metric_names WHERE name = {name})";
        return tables.OfLoggedModels
            ? $" LEFT JOIN logged_model_metrics {alias} ON {alias}.key = (SELECT x.key FROM logged_model_metrics x WHERE x.model = {tables.Key} AND x.metric = {metric}"
                + $"{OnDatasets("x", dataset is null ? datasets ?? [] : [dataset])} ORDER BY x.time DESC, x.step DESC, x.key DESC LIMIT 1)"
            : $" LEFT JOIN run_latest {alias} ON {alias}.run = {tables.Key} AND {alias}.metric = {metric}";
    }

    private string OnDatasets(string alias, IReadOnlyList<MetricDataset> wanted) => wanted.Count == 0
        ? ""
        : " AND (" + string.Join(" OR ", wanted.Select(dataset =>
            $"({alias}.dataset_name = {Add(dataset.Name)}{(dataset.Digest is { } digest ? $" AND {alias}.dataset_digest = {Add(digest)}" : "")})")) + ")";

    private string Span(string key) => key == "content" ? "k.document"
        : key.StartsWith(SearchSchema.SpanAttribute, StringComparison.Ordinal) ? $"span_attribute(k.document, {Add(key[SearchSchema.SpanAttribute.Length..])})"
        : "k." + key;

    private string Dataset(FilterTerm term) => term.Key == "context"
        ? $"EXISTS (SELECT 1 FROM run_dataset_tags k WHERE k.run = {tables.Key} AND k.name = 'mlflow.data.context' AND {Compare("k.value", term)})"
        : $"EXISTS (SELECT 1 FROM run_datasets i JOIN datasets d ON d.key = i.dataset WHERE i.run = {tables.Key} AND {Compare("d." + term.Key, term)})";

    private string Keyed(string table, string owner, FilterTerm term)
    {
        var row = $"SELECT 1 FROM {table} k WHERE k.{owner} = {tables.Key} AND k.name = {Add(term.Key)}";
        return term.Operator switch
        {
            FilterOperator.IsNull => $"NOT EXISTS ({row})",
            FilterOperator.IsNotNull => $"EXISTS ({row})",
            _ => $"EXISTS ({row} AND {Compare("k.value", term)})",
        };
    }

    private string Compare(string column, FilterTerm term) => term.Operator switch
    {
        FilterOperator.Like => $"{column} GLOB {Add(Glob(term.Text!))}",
        FilterOperator.ILike when !Ascii.IsValid(term.Text) => $"ilike({column}, {Add(term.Text!)})",
        FilterOperator.ILike => $"{column} LIKE {Add(term.Text!)}",
        FilterOperator.RLike => $"{column} REGEXP {Add(term.Text!)}",
        FilterOperator.In => $"{column} IN ({string.Join(", ", term.List!.Select(Add))})",
        FilterOperator.NotIn => $"{column} NOT IN ({string.Join(", ", term.List!.Select(Add))})",
        _ => $"{column} {Spell(term.Operator)} {Add(term.Number is { } number ? number : term.Text!)}",
    };

    /// <summary>SQLite's LIKE ignores case; its GLOB does not.</summary>
    private static string Glob(string like)
    {
        var glob = new StringBuilder(like.Length);
        var before = '\0';
        foreach (var c in like)
        {
            _ = c switch
            {
                '%' => before == '%' ? glob : glob.Append('*'),
                '_' => glob.Append('?'),
                '*' or '?' or '[' => glob.Append('[').Append(c).Append(']'),
                _ => glob.Append(c),
            };
            before = c;
        }

        return glob.ToString();
    }

    private static string Spell(FilterOperator comparison) => comparison switch
    {
        FilterOperator.Equal => "=",
        FilterOperator.NotEqual => "!=",
        FilterOperator.Greater => ">",
        FilterOperator.GreaterOrEqual => ">=",
        FilterOperator.Less => "<",
        _ => "<=",
    };
}
