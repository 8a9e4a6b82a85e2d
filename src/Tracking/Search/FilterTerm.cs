namespace Zaffre.Tracking.Search;

/// <summary>What a comparison looks at.</summary>
internal enum FilterEntity
{
    Attribute,
    Metric,
    Param,
    Tag,
    Dataset,
    Metadata,
    Feedback,
    Expectation,
    Span,

    /// <summary>An issue that a trace is part of.</summary>
    Issue,
}

internal enum FilterOperator
{
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Like,
    ILike,
    RLike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

/// <summary>One comparison of a filter. Exactly one of the values is set, none for a null check.</summary>
internal sealed record FilterTerm(FilterEntity Entity, string Key, FilterOperator Operator)
{
    public double? Number { get; init; }

    public string? Text { get; init; }

    public IReadOnlyList<string>? List { get; init; }
}

/// <summary>A dataset that a metric was measured on; any digest when none is named.</summary>
internal sealed record MetricDataset(string Name, string? Digest);

/// <summary>One sort key; a metric may be the one of a dataset.</summary>
internal sealed record SortTerm(FilterEntity Entity, string Key, bool Descending)
{
    public MetricDataset? Dataset { get; init; }
}

/// <summary>A filter or order that is not of the grammar; the message is what the client shows.</summary>
internal sealed class FilterException(string message) : Exception(message);
