using Dapper;
using Zaffre.Tracking.Search;

namespace Zaffre.Tracking.Traces;

/// <summary>The filters of trace figures, a grammar of its own: <c>trace.status = 'OK'</c>, <c>trace.tag.k</c>, <c>trace.metadata.k</c>, <c>span.name|status|type</c>, <c>assessment.name|type</c>, by equality.</summary>
internal static class TraceMetricFilter
{
    private const string Forms = "'trace.status', 'trace.tag.<key>', 'trace.metadata.<key>', 'span.name', 'span.status', 'span.type', 'assessment.name', 'assessment.type'";

    /// <summary>The SQL of a filter; throws <see cref="FilterException"/>.</summary>
    public static string Condition(TraceView view, string filter, DynamicParameters parameters)
    {
        var tokens = FilterLexer.Read(filter);
        if (tokens is not [{ Kind: TokenKind.Word } name, { Kind: TokenKind.Operator, Value: "=" }, { Kind: TokenKind.Text or TokenKind.Quoted } value, { Kind: TokenKind.End }] || value.Raw[0] == '`')
        {
            throw new FilterException($"Invalid filter '{filter}': it must be a field, '=' and a quoted text, such as trace.status = 'OK'.");
        }

        var parts = name.Value.Split('.', 3);
        var column = parts switch
        {
            ["trace", "status"] => "CASE t.state WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' WHEN 3 THEN 'IN_PROGRESS' ELSE 'STATE_UNSPECIFIED' END",
            ["trace", "tag", { Length: > 0 } key] => Keyed("trace_tags", key, parameters),
            ["trace", "metadata", { Length: > 0 } key] => Keyed("trace_metadata", key, parameters),
            ["span", "name" or "status" or "type"] => Of(view, TraceView.Spans, "s." + parts[1]),
            ["assessment", "name"] => Of(view, TraceView.Assessments, "a.name"),
            ["assessment", "type"] => Of(view, TraceView.Assessments, "a.kind"),
            _ => throw new FilterException($"Invalid field '{name.Raw}' of a filter. Valid fields are {Forms}"),
        };
        return $"{column} = {Add(parameters, value.Value)}";
    }

    private static string Of(TraceView view, TraceView needed, string column) => view == needed
        ? column
        : throw new FilterException($"Filtering by {needed.ToString().ToLowerInvariant()} is only supported for the {needed.ToString().ToUpperInvariant()} view type, got {view.ToString().ToUpperInvariant()}");

    private static string Keyed(string table, string key, DynamicParameters parameters) =>
        $"(SELECT k.value FROM {table} k WHERE k.trace = t.key AND k.name = {Add(parameters, key)})";

    private static string Add(DynamicParameters parameters, string value)
    {
        var name = "f" + parameters.ParameterNames.Count();
        parameters.Add(name, value);
        return "@" + name;
    }
}
