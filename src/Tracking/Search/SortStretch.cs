using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Search;

/// <summary>
/// A stretch of the order of runs: of a metric for example those that have a number, those whose metric is NaN, those without.
/// One after the other they are the whole order, and in each an index brings the rows as they are needed, so that a page costs its own rows and not the experiment's.
/// </summary>
internal sealed record SortStretch(long Rank, string From)
{
    private const int PrefixLength = 120;

    /// <summary>What limits the rows to the stretch; <c>@first</c> is the name that is sorted by, <c>@experiment</c> the experiment's key.</summary>
    public required string Condition { get; init; }

    /// <summary>What sorts within the stretch: a column, or the constant that stands for it.</summary>
    public required string Value { get; init; }

    /// <summary>Whether <see cref="Value"/> is the same for all.</summary>
    public bool Constant { get; init; }

    /// <summary>What the index sorts by when that is not the value itself.</summary>
    public string? Indexed { get; init; }

    /// <summary>Further conditions, each of which an index serves in order; the rows of all of them are the stretch.</summary>
    public IReadOnlyList<string> Parts { get; init; } = ["1"];

    /// <summary>What the index would sort a value by.</summary>
    public static string IndexedOf(string value) => $"substr({value}, 1, {PrefixLength})";

    /// <summary>The stretches in the order in which they follow each other, or null when the term has no index.</summary>
    public static IReadOnlyList<SortStretch>? Of(SearchTables tables, SortTerm term) => term switch
    {
        { Entity: FilterEntity.Metric, Dataset: null } => Metric(tables),
        { Entity: FilterEntity.Param } => Text(tables, tables.Params.Table),
        { Entity: FilterEntity.Tag } => Text(tables, tables.TagTable),
        { Entity: FilterEntity.Attribute, Key: "status" } => Status(tables, term.Descending),
        { Entity: FilterEntity.Attribute, Key: "end_time" } =>
        [
            new SortStretch(0, tables.From) { Condition = "r.ended IS NOT NULL", Value = "r.ended" },
            new SortStretch(2, tables.From) { Condition = "r.ended IS NULL", Value = "0", Constant = true },
        ],
        { Entity: FilterEntity.Attribute, Key: "start_time" or "run_name" or "user_id" or "run_id" } => [new SortStretch(0, tables.From) { Condition = "1", Value = tables.Attributes[term.Key] }],
        _ => null,
    };

    private static SortStretch[] Metric(SearchTables tables)
    {
        const string Name = "(SELECT key FROM metric_names WHERE name = @first)";
        const string Of = $"f.experiment = @experiment AND f.metric = {Name}";
        var from = $"run_latest f CROSS JOIN {tables.From}";
        return
        [
            new SortStretch(0, from) { Condition = $"{Of} AND f.nan = 0 AND r.key = f.run", Value = "f.value" },
            new SortStretch(1, from) { Condition = $"{Of} AND f.nan = 1 AND r.key = f.run", Value = "0.0", Constant = true },
            new SortStretch(2, tables.From) { Condition = $"NOT EXISTS (SELECT 1 FROM run_latest f WHERE f.run = r.key AND f.metric = {Name})", Value = "0.0", Constant = true },
        ];
    }

    private static SortStretch[] Text(SearchTables tables, string table) =>
    [
        new SortStretch(0, $"{table} f CROSS JOIN {tables.From}") { Condition = "f.experiment = @experiment AND f.name = @first AND r.key = f.run", Value = "f.value", Indexed = IndexedOf("f.value") },
        new SortStretch(2, tables.From) { Condition = $"NOT EXISTS (SELECT 1 FROM {table} f WHERE f.run = r.key AND f.name = @first)", Value = "''", Constant = true },
    ];

    // One stretch for each word, as several states have the same.
    private static SortStretch[] Status(SearchTables tables, bool descending)
    {
        var words = Enum.GetValues<RunStatus>().GroupBy(status => status.ToMlflow(), StringComparer.Ordinal).OrderBy(word => word.Key, StringComparer.Ordinal).ToList();
        if (descending)
        {
            words.Reverse();
        }

        return
        [
            .. words.Select((word, rank) => new SortStretch(rank, tables.From)
            {
                Condition = "1",
                Value = $"'{word.Key}'",
                Constant = true,
                Parts = [.. word.Select(status => $"r.status = {(int)status}")],
            }),
        ];
    }
}
