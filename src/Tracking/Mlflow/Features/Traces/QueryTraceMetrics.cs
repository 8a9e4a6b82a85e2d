using Dapper;
using Zaffre.Database;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Search;
using Zaffre.Tracking.Traces;

namespace Zaffre.Tracking.Mlflow.Features.Traces;

/// <summary>Figures of traces, spans and assessments: counts, latencies, tokens, costs and scores, by dimension and time.</summary>
internal sealed class QueryTraceMetrics(IDatabase database) : MlflowOperation
{
    private const int MostPoints = 1000;
    private const int MostDimensions = 10;
    private static readonly string[] Members =
        ["experiment_ids", "view_type", "metric_name", "aggregations", "dimensions", "filters", "time_interval_seconds", "start_time_ms", "end_time_ms"];

    public override IReadOnlyList<string> Routes { get; } = TraceRoutes.V3("POST", "/metrics");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var ids = request.Texts("experiment_ids");
        var query = Read(request);
        var (start, end) = (request.Long("start_time_ms"), request.Long("end_time_ms"));
        if (query.Interval is not null && (start is null || end is null))
        {
            throw MlflowErrors.Invalid("start_time_ms and end_time_ms are required if time_interval_seconds is set");
        }

        var parameters = new DynamicParameters(new { start = start ?? long.MinValue, end = end ?? long.MaxValue });
        var conditions = Conditions(query.View, request.Texts("filters"), parameters);
        var (top, signature) = (MlflowLimits.Results(request, MostPoints, MostPoints), Signature(request));
        var from = request.Text("page_token") is { } token ? Skipped(token, signature) : 0;
        var points = await database.ReadAsync(
            connection =>
            {
                var experiments = ids.Select(id => ExperimentStore.ById(connection, call.WorkspaceKey, id)?.Key).OfType<long>().Distinct();
                return query.Run(connection, $"t.experiment IN ({string.Join(", ", experiments)}) AND e.deleted = 0 AND t.time >= @start AND t.time <= @end{conditions}", parameters);
            },
            ct);
        await WriteAsync(call, request.RequiredText("metric_name"), [.. points.Skip(from).Take(top)], points.Count > from + top ? PageToken.Write([(long)(from + top)], signature) : null, ct);
    }

    private static Task WriteAsync(MlflowCall call, string metric, IReadOnlyList<MetricDataPoint> points, string? next, CancellationToken ct) => call.WriteAsync(
        json =>
        {
            json.Array("data_points", points, point =>
            {
                json.WriteString("metric_name", metric);
                json.WriteStartObject("dimensions");
                foreach (var (name, value) in point.Dimensions)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
                json.WriteStartObject("values");
                foreach (var (name, value) in point.Values)
                {
                    json.WriteNumber(name, value);
                }

                json.WriteEndObject();
            });
            if (next is not null)
            {
                json.WriteString("next_page_token", next);
            }
        },
        ct);

    private static TraceMetricQuery Read(MlflowRequest request)
    {
        var view = View(request.RequiredText("view_type"));
        var name = request.RequiredText("metric_name");
        var known = TraceMetric.Known[view];
        var metric = known.GetValueOrDefault(name) ?? throw MlflowErrors.Invalid($"metric_name must be one of [{string.Join(", ", known.Keys.Select(key => $"'{key}'"))}], got '{name}'");
        var aggregations = request.Objects("aggregations").Select(MetricAggregationOf).DistinctBy(aggregation => aggregation.Name).ToList();
        if (aggregations.Count == 0)
        {
            throw MlflowErrors.Missing("aggregations");
        }

        Refuse("aggregation_type(s)", aggregations.Select(aggregation => Spell(aggregation.Kind)), metric.Aggregations.Select(Spell), "aggregation types");
        var dimensions = request.Texts("dimensions").Distinct(StringComparer.Ordinal).Take(MostDimensions).ToList();
        Refuse("dimension(s)", dimensions, metric.Dimensions.Keys, "dimensions");
        return request.Long("time_interval_seconds") is not (<= 0 or > int.MaxValue) and var interval
            ? new TraceMetricQuery(view, metric, aggregations, dimensions) { Interval = interval }
            : throw MlflowErrors.InvalidValue("time_interval_seconds", $"{request.Long("time_interval_seconds")}", "it must be a positive number of seconds.");
    }

    private static void Refuse(string what, IEnumerable<string> given, IEnumerable<string> supported, string plural)
    {
        if (given.Except(supported, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } wrong)
        {
            throw MlflowErrors.Invalid($"Found invalid {what}: [{string.Join(", ", wrong.Select(name => $"'{name}'"))}]. Supported {plural}: [{string.Join(", ", supported.Order(StringComparer.Ordinal).Select(name => $"'{name}'"))}]");
        }
    }

    private static string Spell(Aggregation aggregation) => aggregation.ToString().ToUpperInvariant();

    private static TraceView View(string view) => view switch
    {
        "1" or "TRACES" => TraceView.Traces,
        "2" or "SPANS" => TraceView.Spans,
        "3" or "ASSESSMENTS" => TraceView.Assessments,
        _ => throw MlflowErrors.InvalidValue("view_type", $"'{view}'", "it must be TRACES, SPANS or ASSESSMENTS."),
    };

    private static MetricAggregation MetricAggregationOf(MlflowRequest sent)
    {
        var named = sent.RequiredText("aggregation_type");
        if (named.Any(char.IsAsciiLetterLower) || !Enum.TryParse<Aggregation>(named, ignoreCase: true, out var kind) || !Enum.IsDefined(kind))
        {
            throw MlflowErrors.InvalidValue("aggregation_type", $"'{named}'", $"it must be one of {string.Join(", ", Enum.GetValues<Aggregation>().Select(Spell))}.");
        }

        var percentile = sent.Double("percentile_value");
        return (kind == Aggregation.Percentile) == percentile is not null && percentile is null or (>= 0 and <= 100)
            ? new MetricAggregation(kind, percentile ?? 0)
            : throw MlflowErrors.Invalid("percentile_value must be given for PERCENTILE, between 0 and 100, and for no other aggregation type");
    }

    private static string Conditions(TraceView view, IReadOnlyList<string> filters, DynamicParameters parameters)
    {
        try
        {
            return string.Concat(filters.Select(filter => " AND " + TraceMetricFilter.Condition(view, filter, parameters)));
        }
        catch (FilterException exception)
        {
            throw MlflowErrors.Invalid(exception.Message);
        }
    }

    private static int Skipped(string token, string signature) => PageToken.Read(token, 1, signature) is [long skipped and >= 0 and <= int.MaxValue]
        ? (int)skipped
        : throw MlflowErrors.InvalidValue("page_token", $"'{token}'", "it is not a token of this query.");

    private static string Signature(MlflowRequest request) => string.Join('\n', Members.SelectMany(member => request.Raw(member).Prepend(member)));
}
