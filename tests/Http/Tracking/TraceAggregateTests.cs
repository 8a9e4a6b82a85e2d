using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Figures of traces, and how filters go together.</summary>
public sealed class TraceAggregateTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string V3 = "/api/3.0/mlflow/traces";
    private const ulong Second = 1_000_000_000;

    [Fact]
    public async Task Traces_are_counted_and_measured_by_name_status_and_time()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        foreach (var (name, start, milliseconds, state) in new[] { ("a", 0, 100, "OK"), ("a", 1, 200, "ERROR"), ("a", 3601, 400, "OK"), ("b", 3602, 1000, "OK") })
        {
            await StartAsync(mlflow, experiment, (name, start, milliseconds, state), $$"""{"input_tokens":{{milliseconds}},"output_tokens":1}""");
        }

        Task<string> PointsAsync(object body) => AskAsync(mlflow, body);
        Assert.Equal("|COUNT=4", await PointsAsync(new { experiment_ids = new[] { experiment }, view_type = "TRACES", metric_name = "trace_count", aggregations = Of("COUNT") }));
        Assert.Equal("trace_name=a,trace_status=ERROR|COUNT=1 trace_name=a,trace_status=OK|COUNT=2 trace_name=b,trace_status=OK|COUNT=1", await PointsAsync(
            new { experiment_ids = new[] { experiment }, view_type = 1, metric_name = "trace_count", aggregations = Of("COUNT"), dimensions = new[] { "trace_name", "trace_status" } }));
        Assert.Equal("trace_name=a|AVG=233.333,P50.0=200,P95.0=380,MIN=100,MAX=400 trace_name=b|AVG=1000,P50.0=1000,P95.0=1000,MIN=1000,MAX=1000", await PointsAsync(new
        {
            experiment_ids = new[] { experiment },
            view_type = "TRACES",
            metric_name = "latency",
            aggregations = new object[] { new { aggregation_type = "AVG" }, Percentile(50), Percentile(95), new { aggregation_type = 5 }, new { aggregation_type = "MAX" } },
            dimensions = new[] { "trace_name" },
        }));
        var hourly = new
        {
            experiment_ids = new[] { experiment },
            view_type = "TRACES",
            metric_name = "input_tokens",
            aggregations = Of("SUM"),
            time_interval_seconds = 3600,
            start_time_ms = 0,
            end_time_ms = 3_601_500,
            filters = new[] { "trace.status = 'OK'", "trace.tag.team = 'x'", "trace.metadata.m = 'y'" },
        };
        Assert.Equal("time_bucket=1970-01-01T00:00:00+00:00|SUM=100 time_bucket=1970-01-01T01:00:00+00:00|SUM=400", await PointsAsync(hourly));
        Assert.Equal("|COUNT=0", await PointsAsync(new { experiment_ids = new[] { "77777" }, view_type = "TRACES", metric_name = "trace_count", aggregations = Of("COUNT") }));
        var paged = new { experiment_ids = new[] { experiment }, view_type = "TRACES", metric_name = "trace_count", aggregations = Of("COUNT"), dimensions = new[] { "trace_name" }, max_results = 1 };
        var page = await mlflow.PostAsync(V3 + "/metrics", paged);
        Assert.Equal("b", (await mlflow.PostAsync(V3 + "/metrics", new { paged.experiment_ids, paged.view_type, paged.metric_name, paged.aggregations, paged.dimensions, paged.max_results, page_token = page.GetProperty("next_page_token").GetString() }))
            .GetProperty("data_points")[0].GetProperty("dimensions").GetProperty("trace_name").GetString());
    }

    [Fact]
    public async Task Spans_and_assessments_are_measured_too()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var id = Guid.NewGuid().ToByteArray();
        using (var sent = await SendAsync(mlflow, experiment, Otlp.Request(
            Otlp.Span(id, 1, null, "root", (Second, 3 * Second)),
            Otlp.Span(id, 2, 1, "llm", (Second, 2 * Second), ("mlflow.llm.model", "\"m1\""), ("mlflow.llm.provider", "p"), ("mlflow.llm.cost", """{"total_cost":0.5}"""), ("mlflow.spanType", "\"LLM\"")),
            Otlp.Span(id, 3, 1, "llm", (Second, 2 * Second), ("mlflow.llm.model", "\"m1\""), ("mlflow.llm.provider", "p"), ("mlflow.llm.cost", """{"total_cost":0.25}"""), ("mlflow.spanType", "\"LLM\"")))))
        {
            Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        }

        var trace = "tr-" + Convert.ToHexStringLower(id);
        foreach (var value in new object[] { true, "no", 3, "text" })
        {
            await mlflow.PostAsync($"{V3}/{trace}/assessments", new { assessment = new { assessment_name = "score", source = new { source_type = "CODE" }, feedback = new { value } } });
        }

        var ids = new[] { experiment };
        Assert.Equal("span_name=llm|COUNT=2 span_name=root|COUNT=1", await AskAsync(mlflow, new { experiment_ids = ids, view_type = "SPANS", metric_name = "span_count", aggregations = Of("COUNT"), dimensions = new[] { "span_name" } }));
        Assert.Equal("|AVG=1333.333", await AskAsync(mlflow, new { experiment_ids = ids, view_type = 2, metric_name = "latency", aggregations = Of("AVG") }));
        Assert.Equal("span_model_name=m1,span_model_provider=p|SUM=0.75", await AskAsync(
            mlflow, new { experiment_ids = ids, view_type = 2, metric_name = "total_cost", aggregations = Of("SUM"), dimensions = new[] { "span_model_name", "span_model_provider" }, filters = new[] { "span.type = 'LLM'" } }));
        Assert.Equal("assessment_name=score|AVG=1.333", await AskAsync(mlflow, new { experiment_ids = ids, view_type = 3, metric_name = "assessment_value", aggregations = Of("AVG"), dimensions = new[] { "assessment_name" } }));
        Assert.Equal("assessment_value=\"no\"|COUNT=1 assessment_value=\"text\"|COUNT=1 assessment_value=3|COUNT=1 assessment_value=true|COUNT=1", await AskAsync(
            mlflow, new { experiment_ids = ids, view_type = 3, metric_name = "assessment_count", aggregations = Of("COUNT"), dimensions = new[] { "assessment_value" }, filters = new[] { "assessment.type = 'feedback'" } }));
    }

    [Theory]
    [InlineData("""{"view_type":"X","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}]}""", "Invalid value 'X' for parameter 'view_type'")]
    [InlineData("""{"view_type":"TRACES","metric_name":"cost","aggregations":[{"aggregation_type":"AVG"}]}""", "metric_name must be one of ['trace_count'")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[]}""", "Missing value for required parameter 'aggregations'")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"SUM"}]}""", "Found invalid aggregation_type(s): ['SUM']")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"MEDIAN"}]}""", "Invalid value 'MEDIAN' for parameter 'aggregation_type'")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"PERCENTILE"}]}""", "percentile_value must be given")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"PERCENTILE","percentile_value":"NaN"}]}""", "percentile_value must be given")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"dimensions":["t.key); DROP TABLE traces; --"]}""", "Found invalid dimension(s)")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"time_interval_seconds":60}""", "start_time_ms and end_time_ms are required")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"time_interval_seconds":-1}""", "it must be a positive number of seconds")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"filters":["span.name = 'x'"]}""", "Filtering by spans is only supported for the SPANS view type")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"filters":["trace.status LIKE 'x'"]}""", "Invalid filter")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"filters":["trace.status = 'x' OR 1=1"]}""", "Invalid filter")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"filters":["trace.colour = 'x'"]}""", "Invalid field 'trace.colour'")]
    [InlineData("""{"view_type":"TRACES","metric_name":"latency","aggregations":[{"aggregation_type":"AVG"}],"page_token":"WyJpMSJd"}""", "it is not a token of this query")]
    public async Task What_is_no_question_is_refused_by_name(string body, string message)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await mlflow.FailsAsync(V3 + "/metrics", body, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message);
    }

    [Fact]
    public async Task Intervals_of_any_length_and_times_far_off_are_answered()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        await StartAsync(mlflow, experiment, ("old", -62_135_596_000, 1, "OK"), "[]");
        await StartAsync(mlflow, experiment, ("new", 253_402_300_000, 1, "OK"), "{\"input_tokens\":\"many\"}");
        foreach (var interval in new[] { 1, 3600, int.MaxValue })
        {
            var body = new
            {
                experiment_ids = new[] { experiment },
                view_type = "TRACES",
                metric_name = "trace_count",
                aggregations = Of("COUNT"),
                time_interval_seconds = interval,
                start_time_ms = long.MinValue,
                end_time_ms = long.MaxValue,
            };
            Assert.Equal(2, (await AskAsync(mlflow, body)).Split(' ').Length);
        }

        Assert.Equal("", await AskAsync(mlflow, new { experiment_ids = new[] { experiment }, view_type = "TRACES", metric_name = "input_tokens", aggregations = Of("SUM") }));
    }

    [Fact]
    public async Task Filters_are_correlated_as_MLflow_does()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        for (var i = 0; i < 10; i++)
        {
            await StartAsync(mlflow, experiment, (i < 6 ? "a" : "b", i, 100 * i, i is 1 or 2 or 3 or 8 ? "ERROR" : "OK"), "{}");
        }

        async Task<JsonElement> AskAsync(string first, string second, string? basis = null) =>
            await mlflow.PostAsync(V3 + "/calculate-filter-correlation", new { experiment_ids = new[] { experiment }, filter_string1 = first, filter_string2 = second, base_filter = basis });
        var found = await AskAsync("name = 'a'", "status = 'ERROR'");
        Assert.Equal((6, 4, 3, 10), (found.GetProperty("filter1_count").GetInt32(), found.GetProperty("filter2_count").GetInt32(), found.GetProperty("joint_count").GetInt32(), found.GetProperty("total_count").GetInt32()));
        Assert.Equal(Math.Log(3.0 * 10 / (6 * 4)) / -Math.Log(3.0 / 10), found.GetProperty("npmi").GetDouble(), 9);
        Assert.Equal(Math.Log(3.5 * 12 / (7 * 5)) / -Math.Log(3.5 / 12), found.GetProperty("npmi_smoothed").GetDouble(), 9);
        Assert.Equal(1, (await AskAsync("name = 'a'", "name = 'a'", "name = 'a'")).GetProperty("npmi").GetDouble());
        var apart = await AskAsync("name = 'a'", "name RLIKE '^b$'");
        Assert.Equal(-1, apart.GetProperty("npmi").GetDouble());
        Assert.InRange(apart.GetProperty("npmi_smoothed").GetDouble(), -1, -0.1);
        Assert.Equal("NaN", (await AskAsync("name = 'none'", "name = 'a'")).GetProperty("npmi").GetString());
        Assert.Equal(5, (await AskAsync("status = 'OK'", "name = 'a'", "timestamp_ms < 5000")).GetProperty("total_count").GetInt32());
        await mlflow.FailsAsync(V3 + "/calculate-filter-correlation", new { experiment_ids = new[] { experiment }, filter_string1 = "name = 'a'" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "'filter_string2'");
        await mlflow.FailsAsync(V3 + "/calculate-filter-correlation", new { experiment_ids = new[] { experiment }, filter_string1 = "name = 'a' OR 1=1", filter_string2 = "x" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid clause(s)");
    }

    private static object[] Of(string kind) => [new { aggregation_type = kind }];

    private static object Percentile(int value) => new { aggregation_type = "PERCENTILE", percentile_value = value };

    private static async Task<string> AskAsync(Mlflow mlflow, object body)
    {
        var answer = await mlflow.PostAsync(V3 + "/metrics", body);
        return !answer.TryGetProperty("data_points", out var points) ? "" : string.Join(' ', points.EnumerateArray().Select(point =>
            string.Join(',', point.GetProperty("dimensions").EnumerateObject().Select(dimension => $"{dimension.Name}={dimension.Value.GetString()}")) + "|"
            + string.Join(',', point.GetProperty("values").EnumerateObject().Select(value => $"{value.Name}={Math.Round(value.Value.GetDouble(), 3).ToString(CultureInfo.InvariantCulture)}"))));
    }

    private static async Task<HttpResponseMessage> SendAsync(Mlflow mlflow, string experiment, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/x-protobuf");
        content.Headers.Add("x-mlflow-experiment-id", experiment);
        return await mlflow.SendAsync("POST", "/v1/traces", content);
    }

    private static Task<JsonElement> StartAsync(Mlflow mlflow, string experiment, (string Name, long Second, int Milliseconds, string State) trace, string tokens) => mlflow.PostAsync(V3, new
    {
        trace = new
        {
            trace_info = new
            {
                trace_id = "tr-" + Guid.NewGuid().ToString("N"),
                trace_location = new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } },
                request_time = DateTimeOffset.FromUnixTimeSeconds(trace.Second).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                execution_duration = (trace.Milliseconds / 1000.0).ToString("0.000", CultureInfo.InvariantCulture) + "s",
                state = trace.State,
                trace_metadata = new Dictionary<string, string> { ["mlflow.trace.tokenUsage"] = tokens, ["m"] = "y" },
                tags = new Dictionary<string, string> { ["mlflow.traceName"] = trace.Name, ["team"] = "x" },
            },
        },
    });
}
