using System.Globalization;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Begins, ends, tags, assesses and deletes traces of MLflow 2, MLflow 3 and OpenTelemetry.</summary>
internal sealed class TracesClient(string name, int seed) : TrackingClient(name, seed)
{
    private readonly List<MadeTrace> traces = [];
    private readonly Dictionary<string, string> ids = new(StringComparer.Ordinal);
    private string experiment = "";
    private int counter;

    protected override async Task SetUpAsync() => experiment = await Wire.ExperimentAsync(Name);

    protected override Change Next()
    {
        var value = $"{++counter}";
        var kind = Random.Next(9);
        if (traces.Count == 0 || kind < 3)
        {
            return kind switch { 0 => BeginV2(), 1 => Otlp(), _ => Start(new MadeTrace($"n{counter}") { Id = $"tr-{Name}-{counter}" }, "IN_PROGRESS") };
        }

        var trace = Pick(traces);
        var id = ids[trace.Nonce];
        switch (kind)
        {
            case 3 when trace is { V2: true, State: "IN_PROGRESS" }:
                return new Change(() => Wire.CallAsync(HttpMethod.Patch, TrackingWire.Api + "traces/" + id, new { timestamp_ms = 1_700_000_001_000, status = "OK" }), () => trace.State = "OK", Repeatable: true);
            case 3 or 4 when trace is { V2: false, State: "IN_PROGRESS" }:
                return Start(trace, "ERROR");
            case 5:
                return new Change(() => Wire.CallAsync(HttpMethod.Patch, $"{TrackingWire.Api3}traces/{id}/tags", new { key = "t", value }), () => trace.Tag = value, Repeatable: true);
            case 6:
                var assessment = new { assessment_name = "a" + value, source = new { source_type = "CODE", source_id = "c" }, feedback = new { value = counter } };
                return new Change(() => Wire.PostAsync($"{TrackingWire.Api3}traces/{id}/assessments", new { assessment }), () => trace.Assessments.Add("a" + value), Repeatable: false);
            case 7 when traces.Count > 8:
                return new Change(() => Wire.PostAsync($"{TrackingWire.Api3}traces/delete-traces", new { experiment_id = experiment, request_ids = new[] { id } }), () => traces.Remove(trace), Repeatable: true);
            default:
                return Spans(trace, id);
        }
    }

    private Change BeginV2()
    {
        var trace = new MadeTrace($"n{counter}") { V2 = true };
        var body = new { experiment_id = experiment, timestamp_ms = 1_700_000_000_000, tags = new[] { new { key = "nonce", value = trace.Nonce } } };
        return new Change(async () => ids[trace.Nonce] = (await Wire.PostAsync("traces", body)).GetProperty("trace_info").Text("request_id")!, () => traces.Add(trace), Repeatable: false);
    }

    private Change Start(MadeTrace trace, string state)
    {
        ids[trace.Nonce] = trace.Id;
        var info = new
        {
            trace_id = trace.Id,
            trace_location = new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } },
            request_time = "2025-01-31T12:00:00Z",
            state,
            tags = new Dictionary<string, string>(StringComparer.Ordinal) { ["nonce"] = trace.Nonce },
        };
        return new Change(
            () => Wire.PostAsync(TrackingWire.Api3 + "traces", new { trace = new { trace_info = info } }),
            () =>
            {
                trace.State = state;
                if (!traces.Contains(trace))
                {
                    traces.Add(trace);
                }
            },
            Repeatable: true);
    }

    // A trace that only spans tell of: its root names it.
    private Change Otlp()
    {
        var hex = $"{Random.NextInt64():x16}{counter:x16}";
        var trace = new MadeTrace("tr-" + hex) { Id = "tr-" + hex, State = "OK", Spans = 5 };
        ids[trace.Nonce] = trace.Id;
        return new Change(() => Wire.SpansAsync(experiment, Body(hex, null, 0, 5)), () => traces.Add(trace), Repeatable: true);
    }

    private Change Spans(MadeTrace trace, string id)
    {
        var (first, count) = (trace.Spans, Random.Next(1, 20));
        return new Change(() => Wire.SpansAsync(experiment, Body(trace.Nonce.StartsWith("tr-", StringComparison.Ordinal) ? id[3..] : $"{counter:x32}", id, first, count)), () => trace.Spans = first + count, Repeatable: true);
    }

    private static object Body(string trace, string? id, int first, int count)
    {
        var spans = Enumerable.Range(first, count).Select(i => new
        {
            traceId = trace,
            spanId = (i + 1).ToString("x16", CultureInfo.InvariantCulture),
            parentSpanId = i == 0 && id is null ? "" : "00000000000000ff",
            name = "s" + i,
            startTimeUnixNano = "1700000000000000000",
            endTimeUnixNano = "1700000001000000000",
            attributes = id is null ? [] : new[] { new { key = "mlflow.traceRequestId", value = new { stringValue = $"\"{id}\"" } } },
        });
        return new { resourceSpans = new[] { new { scopeSpans = new[] { new { spans } } } } };
    }

    protected override IReadOnlyCollection<string> Expected() =>
        [.. traces.Select(trace => $"{trace.Nonce} {trace.State} tag {trace.Tag} spans {trace.Spans} assessed {string.Join(",", trace.Assessments)}")];

    protected override async Task<IReadOnlyCollection<string>> ReadAsync()
    {
        var location = new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } };
        var found = await Wire.SearchAsync(TrackingWire.Api3 + "traces/search", "traces", new(StringComparer.Ordinal) { ["locations"] = new[] { location }, ["max_results"] = 500 });
        var spans = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var some in found.Select(trace => trace.Text("trace_id")!).Chunk(100))
        {
            foreach (var trace in (await Wire.GetAsync($"{TrackingWire.Api3}traces/batchGet?{string.Join('&', some.Select(id => "trace_ids=" + id))}")).Items("traces"))
            {
                spans[trace.GetProperty("trace_info").Text("trace_id")!] = trace.Items("spans").Count();
            }
        }

        return [.. found.Select(trace => Line(trace, spans))];
    }

    private string Line(System.Text.Json.JsonElement trace, Dictionary<string, int> spans)
    {
        var (id, tags) = (trace.Text("trace_id")!, trace.GetProperty("tags"));
        var nonce = tags.Text("nonce") ?? id;
        ids[nonce] = id;
        return $"{nonce} {trace.Text("state")} tag {tags.Text("t")} spans {spans[id]} assessed {string.Join(",", trace.Items("assessments").Select(assessment => assessment.Text("assessment_name")))}";
    }

    private sealed record MadeTrace(string Nonce)
    {
        public string Id { get; init; } = "";

        public bool V2 { get; init; }

        public string State { get; set; } = "IN_PROGRESS";

        public string? Tag { get; set; }

        public int Spans { get; set; }

        public List<string> Assessments { get; } = [];
    }
}
