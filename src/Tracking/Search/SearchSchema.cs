namespace Zaffre.Tracking.Search;

/// <summary>The entities and attributes that one kind of search knows.</summary>
internal sealed record SearchSchema
{
    /// <summary>Every spelling of an entity that is accepted before the dot.</summary>
    public required IReadOnlyDictionary<string, FilterEntity> Entities { get; init; }

    /// <summary>Attributes that compare as quoted strings.</summary>
    public required IReadOnlySet<string> TextAttributes { get; init; }

    /// <summary>Attributes that compare as numbers (milliseconds).</summary>
    public required IReadOnlySet<string> NumericAttributes { get; init; }

    /// <summary>Attributes that take a list.</summary>
    public required IReadOnlySet<string> ListAttributes { get; init; }

    /// <summary>Attributes that only sort.</summary>
    public required IReadOnlySet<string> SortOnlyAttributes { get; init; }

    /// <summary>What is known of a dataset.</summary>
    public static IReadOnlySet<string> DatasetKeys { get; } = Set("name", "digest", "context");

    /// <summary>What is known of a span.</summary>
    public static IReadOnlySet<string> SpanKeys { get; } = Set("name", "type", "status", "content");

    /// <summary>What names an attribute of a span, before its name.</summary>
    public const string SpanAttribute = "attributes.";

    /// <summary>Attributes that are long texts: only LIKE and ILIKE compare them.</summary>
    public IReadOnlySet<string> LongAttributes { get; init; } = Set();

    /// <summary>Whether texts may be compared by regular expressions.</summary>
    public bool RegularExpressions { get; init; }

    /// <summary>Other spellings of attributes.</summary>
    public required IReadOnlyDictionary<string, string> Aliases { get; init; }

    public static SearchSchema Runs { get; } = new()
    {
        Entities = new Dictionary<string, FilterEntity>(StringComparer.Ordinal)
        {
            ["attribute"] = FilterEntity.Attribute,
            ["attributes"] = FilterEntity.Attribute,
            ["attr"] = FilterEntity.Attribute,
            ["run"] = FilterEntity.Attribute,
            ["metric"] = FilterEntity.Metric,
            ["metrics"] = FilterEntity.Metric,
            ["param"] = FilterEntity.Param,
            ["params"] = FilterEntity.Param,
            ["parameter"] = FilterEntity.Param,
            ["parameters"] = FilterEntity.Param,
            ["tag"] = FilterEntity.Tag,
            ["tags"] = FilterEntity.Tag,
            ["dataset"] = FilterEntity.Dataset,
            ["datasets"] = FilterEntity.Dataset,
        },
        TextAttributes = Set("status", "artifact_uri", "user_id", "run_id", "run_name"),
        NumericAttributes = Set("start_time", "end_time"),
        ListAttributes = Set("run_id"),
        SortOnlyAttributes = Set(),
        Aliases = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["created"] = "start_time",
            ["Created"] = "start_time",
            ["run name"] = "run_name",
            ["Run name"] = "run_name",
            ["Run Name"] = "run_name",
        },
    };

    public static SearchSchema Experiments { get; } = new()
    {
        Entities = new Dictionary<string, FilterEntity>(StringComparer.Ordinal)
        {
            ["attribute"] = FilterEntity.Attribute,
            ["attributes"] = FilterEntity.Attribute,
            ["attr"] = FilterEntity.Attribute,
            ["tag"] = FilterEntity.Tag,
            ["tags"] = FilterEntity.Tag,
        },
        TextAttributes = Set("name"),
        NumericAttributes = Set("creation_time", "last_update_time"),
        ListAttributes = Set(),
        SortOnlyAttributes = Set("experiment_id"),
        Aliases = new Dictionary<string, string>(StringComparer.Ordinal),
    };

    public static SearchSchema LoggedModels { get; } = new()
    {
        Entities = Runs.Entities.Where(entity => entity.Key != "run" && entity.Value != FilterEntity.Dataset).ToDictionary(StringComparer.Ordinal),
        TextAttributes = Set("name", "model_id", "model_type", "status", "source_run_id"),
        NumericAttributes = Set("creation_timestamp", "last_updated_timestamp"),
        ListAttributes = Set("name", "model_id", "model_type", "status", "source_run_id"),
        SortOnlyAttributes = Set(),
        Aliases = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["creation_time"] = "creation_timestamp",
            ["creation_timestamp_ms"] = "creation_timestamp",
            ["last_updated_timestamp_ms"] = "last_updated_timestamp",
        },
    };

    public static SearchSchema Traces { get; } = new()
    {
        Entities = new Dictionary<string, FilterEntity>(StringComparer.Ordinal)
        {
            ["attribute"] = FilterEntity.Attribute,
            ["attributes"] = FilterEntity.Attribute,
            ["attr"] = FilterEntity.Attribute,
            ["trace"] = FilterEntity.Attribute,
            ["tag"] = FilterEntity.Tag,
            ["tags"] = FilterEntity.Tag,
            ["metadata"] = FilterEntity.Metadata,
            ["request_metadata"] = FilterEntity.Metadata,
            ["feedback"] = FilterEntity.Feedback,
            ["expectation"] = FilterEntity.Expectation,
            ["span"] = FilterEntity.Span,
            ["issue"] = FilterEntity.Issue,
        },
        RegularExpressions = true,
        LongAttributes = Set("text"),
        TextAttributes = Set("request_id", "status", "client_request_id", "name", "run_id", "prompt", "text"),
        NumericAttributes = Set("timestamp", "execution_time", "end_time"),
        ListAttributes = Set("request_id", "status", "client_request_id", "name", "run_id"),
        SortOnlyAttributes = Set("experiment_id"),
        Aliases = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["trace_id"] = "request_id",
            ["state"] = "status",
            ["timestamp_ms"] = "timestamp",
            ["request_time"] = "timestamp",
            ["execution_time_ms"] = "execution_time",
            ["execution_duration"] = "execution_time",
            ["end_time_ms"] = "end_time",
        },
    };

    public static SearchSchema RegisteredModels { get; } = new()
    {
        Entities = Experiments.Entities,
        TextAttributes = Set("name"),
        NumericAttributes = Set(),
        ListAttributes = Set(),
        SortOnlyAttributes = Set("creation_timestamp", "last_updated_timestamp"),
        Aliases = new Dictionary<string, string>(StringComparer.Ordinal) { ["timestamp"] = "last_updated_timestamp" },
    };

    public static SearchSchema ModelVersions { get; } = new()
    {
        Entities = Experiments.Entities,
        TextAttributes = Set("name", "source_path", "run_id"),
        NumericAttributes = Set("version_number"),
        ListAttributes = Set("run_id"),
        SortOnlyAttributes = Set("creation_timestamp", "last_updated_timestamp"),
        Aliases = new Dictionary<string, string>(StringComparer.Ordinal) { ["timestamp"] = "last_updated_timestamp" },
    };

    private static HashSet<string> Set(params string[] names) => new(names, StringComparer.Ordinal);
}
