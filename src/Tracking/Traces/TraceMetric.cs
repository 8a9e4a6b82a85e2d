namespace Zaffre.Tracking.Traces;

/// <summary>What is counted or measured: whole traces, their spans, or what is said about them.</summary>
internal enum TraceView
{
    Traces = 1,
    Spans = 2,
    Assessments = 3,
}

/// <summary>How values become one; the numbers are the wire's.</summary>
internal enum Aggregation
{
    Count = 1,
    Sum = 2,
    Avg = 3,
    Percentile = 4,
    Min = 5,
    Max = 6,
}

/// <summary>
/// A figure that traces have, as MLflow names it. <paramref name="Value"/> is the SQL of one value (null where there is none) over the rows of the view, and
/// <paramref name="Dimensions"/> maps what values may be grouped by to SQL.
/// </summary>
internal sealed record TraceMetric(string Value, IReadOnlyList<Aggregation> Aggregations, IReadOnlyDictionary<string, string> Dimensions)
{
    private const string JsonOfAssessment = "('$.' || a.kind || '.value')";

    private static readonly Aggregation[] Counted = [Aggregation.Count];
    private static readonly Aggregation[] Measured = [Aggregation.Avg, Aggregation.Percentile, Aggregation.Min, Aggregation.Max];
    private static readonly Aggregation[] Summed = [Aggregation.Sum, .. Measured];

    private static readonly (string, string) TraceName = ("trace_name", "(SELECT value FROM trace_tags WHERE trace = t.key AND name = 'mlflow.traceName')");
    private static readonly (string, string) TraceStatus = ("trace_status", "CASE t.state WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' WHEN 3 THEN 'IN_PROGRESS' ELSE 'STATE_UNSPECIFIED' END");
    private static readonly (string, string) SpanName = ("span_name", "s.name");
    private static readonly (string, string) SpanType = ("span_type", "s.type");
    private static readonly (string, string) SpanStatus = ("span_status", "s.status");
    private static readonly (string, string) Model = ("span_model_name", "span_attribute(s.document, 'mlflow.llm.model')");
    private static readonly (string, string) Provider = ("span_model_provider", "span_attribute(s.document, 'mlflow.llm.provider')");
    private static readonly (string, string) AssessmentName = ("assessment_name", "a.name");
    private static readonly (string, string) AssessmentValue = ("assessment_value", $"(a.document -> {JsonOfAssessment})");

    /// <summary>The figures of each view by name.</summary>
    public static IReadOnlyDictionary<TraceView, IReadOnlyDictionary<string, TraceMetric>> Known { get; } = new Dictionary<TraceView, IReadOnlyDictionary<string, TraceMetric>>
    {
        [TraceView.Traces] = new Dictionary<string, TraceMetric>(StringComparer.Ordinal)
        {
            ["trace_count"] = Of("1", Counted, TraceName, TraceStatus),
            ["latency"] = Of("t.duration", Measured, TraceName),
            ["input_tokens"] = Tokens("input_tokens"),
            ["output_tokens"] = Tokens("output_tokens"),
            ["total_tokens"] = Tokens("total_tokens"),
            ["cache_read_input_tokens"] = Tokens("cache_read_input_tokens"),
            ["cache_creation_input_tokens"] = Tokens("cache_creation_input_tokens"),
        },
        [TraceView.Spans] = new Dictionary<string, TraceMetric>(StringComparer.Ordinal)
        {
            ["span_count"] = Of("1", Counted, SpanName, SpanType, SpanStatus, Model, Provider),
            ["latency"] = Of("(nullif(json_extract(s.document, '$.end_time_unix_nano'), 0) - s.start) / 1000000", Measured, SpanName, SpanStatus),
            ["input_cost"] = Cost("input_cost"),
            ["output_cost"] = Cost("output_cost"),
            ["total_cost"] = Cost("total_cost"),
        },
        [TraceView.Assessments] = new Dictionary<string, TraceMetric>(StringComparer.Ordinal)
        {
            ["assessment_count"] = Of("1", Counted, AssessmentName, AssessmentValue),
            ["assessment_value"] = Of(
                $"CASE json_type(a.document, {JsonOfAssessment}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 WHEN 'text' THEN CASE a.value WHEN 'yes' THEN 1.0 WHEN 'no' THEN 0.0 END "
                + $"WHEN 'integer' THEN json_extract(a.document, {JsonOfAssessment}) WHEN 'real' THEN json_extract(a.document, {JsonOfAssessment}) END",
                Measured,
                AssessmentName),
        },
    };

    /// <summary>The rows of a view: traces are <c>t</c>, spans <c>s</c>, assessments <c>a</c>.</summary>
    public static string From(TraceView view) => "traces t JOIN experiments e ON e.key = t.experiment" + view switch
    {
        TraceView.Spans => " JOIN trace_spans s ON s.trace = t.key",
        TraceView.Assessments => " JOIN trace_assessments a ON a.trace = t.key",
        _ => "",
    };

    /// <summary>The instant by which a row belongs to a time, in milliseconds.</summary>
    public static string Time(TraceView view) => view switch
    {
        TraceView.Spans => "(s.start / 1000000)",
        TraceView.Assessments => "a.created",
        _ => "t.time",
    };

    private static TraceMetric Tokens(string name) => Of(
        $"(SELECT CASE WHEN json_valid(value) THEN json_extract(value, '$.{name}') END FROM trace_metadata WHERE trace = t.key AND name = 'mlflow.trace.tokenUsage')", Summed, TraceName);

    private static TraceMetric Cost(string name)
    {
        const string Document = "span_attribute(s.document, 'mlflow.llm.cost')";
        return Of($"CASE WHEN json_valid({Document}) THEN json_extract({Document}, '$.{name}') END", Summed, Model, Provider);
    }

    private static TraceMetric Of(string value, Aggregation[] aggregations, params (string Name, string Sql)[] dimensions) =>
        new(value, aggregations, dimensions.ToDictionary(dimension => dimension.Name, dimension => dimension.Sql, StringComparer.Ordinal));
}
