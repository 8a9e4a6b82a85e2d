using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

public sealed class TraceTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string V3 = "/api/3.0/mlflow/traces";

    [Fact]
    public async Task A_trace_of_MLflow_3_has_every_field_and_is_changed_by_sending_it_again()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var id = await StartAsync(mlflow, experiment, state: "IN_PROGRESS");
        var info = (await mlflow.PostAsync(V3, new
        {
            trace = new
            {
                trace_info = new
                {
                    trace_id = id,
                    client_request_id = "c-1",
                    trace_location = new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } },
                    request_preview = new string('q', 1500),
                    response_preview = "answer",
                    request_time = "2025-01-31T12:00:00.250Z",
                    execution_duration = "1.5s",
                    state = "OK",
                    trace_metadata = new Dictionary<string, string> { ["mlflow.sourceRun"] = "r" },
                    tags = new Dictionary<string, string> { ["mlflow.traceName"] = "ask" },
                },
            },
        })).GetProperty("trace").GetProperty("trace_info");
        Assert.Equal(
            ["client_request_id", "execution_duration", "request_preview", "request_time", "response_preview", "state", "tags", "trace_id", "trace_location", "trace_metadata"],
            info.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("OK", "2025-01-31T12:00:00.250Z", "1.500s", "c-1"), (Text(info, "state"), Text(info, "request_time"), Text(info, "execution_duration"), Text(info, "client_request_id")));
        Assert.Equal(1000, Text(info, "request_preview")!.Length);
        Assert.Equal($$$"""{"type":"MLFLOW_EXPERIMENT","mlflow_experiment":{"experiment_id":"{{{experiment}}}"}}""", info.GetProperty("trace_location").GetRawText());
        Assert.Equal($$"""{"i":"1","mlflow.artifactLocation":"mlflow-artifacts:/{{experiment}}/traces/{{id}}/artifacts","mlflow.traceName":"ask"}""", info.GetProperty("tags").GetRawText());
        Assert.Equal(info.GetRawText(), (await mlflow.GetAsync($"{V3}/{id}")).GetProperty("trace").GetProperty("trace_info").GetRawText());

        await mlflow.ExpectAsync(HttpStatusCode.OK, "PUT", $"/api/2.0/mlflow-artifacts/artifacts/{experiment}/traces/{id}/artifacts/traces.json", """{"spans":[]}""");
        using var file = await mlflow.SendAsync("GET", "/ajax-api/3.0/mlflow/get-trace-artifact?request_id=" + id);
        Assert.Equal("""{"spans":[]}""", await file.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Spans_come_in_as_OTLP_and_go_out_as_MLflow_reads_them()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var traceId = Enumerable.Range(1, 16).Select(i => (byte)i).ToArray();
        var id = "tr-" + Convert.ToHexStringLower(traceId);
        var root = Otlp.Span(traceId, 1, null, "root", (1_000_000_000, 3_500_000_000), ("mlflow.spanType", "\"CHAIN\""), ("n", 7L), ("r", 0.5), ("b", true));
        var child = Otlp.Span(traceId, 2, 1, "child", (1_500_000_000, 2_000_000_000), ("q", "what"));
        using (var answer = await SendAsync(mlflow, experiment, Otlp.Request(root, child), "gzip"))
        {
            Assert.Equal((HttpStatusCode.OK, "application/x-protobuf", ""), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, await answer.Content.ReadAsStringAsync()));
        }

        var trace = (await mlflow.GetAsync($"{V3}/get?trace_id={id}")).GetProperty("trace");
        var info = trace.GetProperty("trace_info");
        Assert.Equal(("OK", "2.500s", "1970-01-01T00:00:01.000Z"), (Text(info, "state"), Text(info, "execution_duration"), Text(info, "request_time")));
        Assert.Equal("TRACKING_STORE", Text(info.GetProperty("tags"), "mlflow.trace.spansLocation"));
        var spans = trace.GetProperty("spans").EnumerateArray().ToList();
        Assert.Equal(["root", "child"], spans.Select(span => Text(span, "name")));
        Assert.Equal((Convert.ToBase64String(traceId), "AAAAAAAAAAI=", "AAAAAAAAAAE=", 1_500_000_000), (Text(spans[1], "trace_id"), Text(spans[1], "span_id"), Text(spans[1], "parent_span_id"), spans[1].GetProperty("start_time_unix_nano").GetInt64()));
        Assert.Equal(
            """[{"key":"mlflow.spanType","value":{"string_value":"\"CHAIN\""}},{"key":"n","value":{"int_value":7}},{"key":"r","value":{"double_value":0.5}},{"key":"b","value":{"bool_value":true}}]""",
            spans[0].GetProperty("attributes").GetRawText());

        var searched = await mlflow.PostAsync(V3 + "/search", Search(experiment, "span.type = 'CHAIN' AND span.content LIKE '%what%' AND name = 'root'"));
        Assert.Equal(id, Text(Assert.Single(searched.GetProperty("traces").EnumerateArray()), "trace_id"));
        Assert.Equal("{}", (await mlflow.PostAsync(V3 + "/search", Search(experiment, "span.name = 'other'"))).GetRawText());
        var batch = await mlflow.GetAsync($"{V3}/batchGet?trace_ids={id}&trace_ids=tr-none");
        Assert.Equal(2, Assert.Single(batch.GetProperty("traces").EnumerateArray()).GetProperty("spans").GetArrayLength());
        Assert.Equal(id, Text((await mlflow.PostAsync(V3 + "/batchGetInfos", new { trace_ids = new[] { id } })).GetProperty("trace_infos")[0], "trace_id"));
    }

    [Fact]
    public async Task OTLP_in_JSON_is_the_same_trace()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var hex = Guid.NewGuid().ToString("N");
        var body = $$$"""
            {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"{{{hex}}}","spanId":"00000000000000ab","name":"j","kind":2,"startTimeUnixNano":"5000000","endTimeUnixNano":"9000000",
            "attributes":[{"key":"k","value":{"intValue":"3"}}],"status":{"code":2,"message":"bad"}}]}]}]}
            """;
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        content.Headers.Add("x-mlflow-experiment-id", experiment);
        using var answer = await mlflow.SendAsync("POST", "/v1/traces", content);
        Assert.Equal((HttpStatusCode.OK, "{}"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        var trace = (await mlflow.GetAsync($"{V3}/get?trace_id=tr-{hex}")).GetProperty("trace");
        Assert.Equal(("ERROR", "0.004s"), (Text(trace.GetProperty("trace_info"), "state"), Text(trace.GetProperty("trace_info"), "execution_duration")));
        Assert.Equal(
            $$$"""{"trace_id":"{{{Convert.ToBase64String(Convert.FromHexString(hex))}}}","span_id":"AAAAAAAAAKs=","name":"j","kind":"SPAN_KIND_SERVER","start_time_unix_nano":5000000,"end_time_unix_nano":9000000,"attributes":[{"key":"k","value":{"int_value":3}}],"status":{"code":"STATUS_CODE_ERROR","message":"bad"}}""",
            trace.GetProperty("spans")[0].GetRawText());
    }

    [Fact]
    public async Task Traces_of_MLflow_2_begin_and_end()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var begun = (await mlflow.PostAsync("traces", new { experiment_id = experiment, timestamp_ms = 1000, request_metadata = new[] { new { key = "m", value = "1" } }, tags = new[] { new { key = "t", value = "1" } } })).GetProperty("trace_info");
        var id = Text(begun, "request_id");
        Assert.Equal("IN_PROGRESS", Text(begun, "status"));
        var ended = (await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", "traces/" + id, new { timestamp_ms = 1250, status = "OK", request_metadata = new[] { new { key = "out", value = "2" } } })).GetProperty("trace_info");
        Assert.Equal(
            $$"""{"request_id":"{{id}}","experiment_id":"{{experiment}}","timestamp_ms":1000,"execution_time_ms":250,"status":"OK","request_metadata":[{"key":"m","value":"1"},{"key":"out","value":"2"}],"tags":[{"key":"mlflow.artifactLocation","value":"mlflow-artifacts:/{{experiment}}/traces/{{id}}/artifacts"},{"key":"t","value":"1"}]}""",
            ended.GetRawText());
        Assert.Equal(ended.GetRawText(), (await mlflow.GetAsync($"traces/{id}/info")).GetProperty("trace_info").GetRawText());
        Assert.Equal(ended.GetRawText(), (await mlflow.GetAsync($"traces?experiment_ids={experiment}&filter=execution_time_ms+%3E+200")).GetProperty("traces")[0].GetRawText());
        foreach (var path in new[] { $"traces/{id}/tags", $"{V3}/{id}/tags" })
        {
            await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", path, new { key = "x", value = "1" });
            await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", path, new { key = "x" });
            await mlflow.FailsAsync(path, new { key = "x" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No trace tag with key 'x'", "DELETE");
        }
    }

    [Fact]
    public async Task Assessments_are_made_changed_overridden_searched_and_deleted()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var id = await StartAsync(mlflow, experiment);
        object Feedback(object value, string? overrides = null) => new
        {
            assessment = new { assessment_name = "correct", trace_id = id, source = new { source_type = "HUMAN", source_id = "me" }, feedback = new { value }, rationale = "why", overrides },
        };
        var made = (await mlflow.PostAsync($"{V3}/{id}/assessments", Feedback(true))).GetProperty("assessment");
        var first = Text(made, "assessment_id");
        Assert.Equal("""{"value":true}""", made.GetProperty("feedback").GetRawText());
        Assert.Equal((id, true), (Text(made, "trace_id"), made.GetProperty("valid").GetBoolean()));
        var path = $"{V3}/{id}/assessments/";
        await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", path + first, new { assessment = new { feedback = new { value = "no" }, rationale = "changed" }, update_mask = "feedback,rationale" });
        var changed = (await mlflow.GetAsync(path + first)).GetProperty("assessment");
        Assert.Equal(("""{"value":"no"}""", "changed", "correct"), (changed.GetProperty("feedback").GetRawText(), Text(changed, "rationale"), Text(changed, "assessment_name")));
        Assert.Single((await mlflow.PostAsync(V3 + "/search", Search(experiment, "feedback.correct = 'no'"))).GetProperty("traces").EnumerateArray());

        var second = Text((await mlflow.PostAsync($"{V3}/{id}/assessments", Feedback("yes", first))).GetProperty("assessment"), "assessment_id");
        Assert.False((await mlflow.GetAsync(path + first)).GetProperty("assessment").GetProperty("valid").GetBoolean());
        Assert.Equal("{}", (await mlflow.PostAsync(V3 + "/search", Search(experiment, "feedback.correct = 'no'"))).GetRawText());
        Assert.Equal(2, (await mlflow.GetAsync($"{V3}/{id}")).GetProperty("trace").GetProperty("trace_info").GetProperty("assessments").GetArrayLength());
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", path + second, null);
        Assert.True((await mlflow.GetAsync(path + first)).GetProperty("assessment").GetProperty("valid").GetBoolean());

        Task Bad(string method, string at, object? body, string message) => mlflow.FailsAsync(at, body, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message, method);
        await Bad("POST", path.TrimEnd('/'), new { assessment = new { assessment_name = "x" } }, "source_type");
        await Bad("POST", path.TrimEnd('/'), new { assessment = new { assessment_name = "x", source = new { source_type = "CODE" } } }, "one of 'feedback', 'expectation' and 'issue'");
        await Bad("PATCH", path + first, new { assessment = new { }, update_mask = "createTime" }, "Invalid value 'create_time' for parameter 'update_mask'");
        await mlflow.FailsAsync(path + second, null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Assessment with ID", "GET");
    }

    [Fact]
    public async Task Traces_are_searched_linked_paged_and_deleted()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await StartAsync(mlflow, experiment, i));
        }

        async Task<string> FindAsync(string filter, params string[] order)
        {
            var found = await mlflow.PostAsync(V3 + "/search", Search(experiment, filter, order));
            return found.TryGetProperty("traces", out var list) ? string.Join(' ', list.EnumerateArray().Select(trace => ids.IndexOf(Text(trace, "trace_id")!))) : "";
        }

        Assert.Equal("4 3 2 1 0", await FindAsync(""));
        Assert.Equal("0 1 2 3 4", await FindAsync("", "timestamp_ms ASC"));
        Assert.Equal("3 2", await FindAsync("timestamp_ms >= 2000 AND timestamp_ms <= 3000"));
        Assert.Equal("1", await FindAsync("tags.i = '1' AND metadata.m = 'x' AND status = 'OK'"));
        Assert.Equal("2 0", await FindAsync($"request_id IN ('{ids[0]}', '{ids[2]}')"));
        var run = await mlflow.RunAsync(experiment);
        await mlflow.PostAsync("traces/link-to-run", new { trace_ids = new[] { ids[1], ids[3] }, run_id = run });
        Assert.Equal("3 1", await FindAsync($"run_id = '{run}'"));
        await mlflow.PostAsync("traces/link-prompts", new { trace_id = ids[2], prompt_versions = new[] { new { name = "greet", version = "1" } } });
        Assert.Equal("2", await FindAsync("prompt = 'greet/1'"));
        var page = await mlflow.PostAsync(V3 + "/search", new { locations = Locations(experiment), max_results = 4 });
        Assert.Equal(ids[0], Text(Assert.Single((await mlflow.PostAsync(V3 + "/search", new { locations = Locations(experiment), max_results = 4, page_token = Text(page, "next_page_token") })).GetProperty("traces").EnumerateArray()), "trace_id"));

        Task Bad(string path, object body, string message) => mlflow.FailsAsync(path, body, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message);
        await Bad(V3 + "/search", new { locations = Locations(experiment), max_results = 501 }, "Invalid value 501 for parameter 'max_results'");
        await Bad(V3 + "/search", Search(experiment, "name RLIKE '('"), "Invalid regular expression '('");
        await Bad(V3 + "/search", Search(experiment, "span.colour = 'x'"), "Invalid span key 'colour'");
        await Bad("traces/delete-traces", new { experiment_id = experiment }, "Either `max_timestamp_millis` or `request_ids` must be specified");
        Assert.Equal(1, (await mlflow.PostAsync(V3 + "/delete-traces", new { experiment_id = experiment, request_ids = new[] { ids[4], "tr-none" } })).GetProperty("traces_deleted").GetInt32());
        Assert.Equal(2, (await mlflow.PostAsync("traces/delete-traces", new { experiment_id = experiment, max_timestamp_millis = 5000, max_traces = 2 })).GetProperty("traces_deleted").GetInt32());
        Assert.Equal("3 2", await FindAsync(""));
    }

    [Fact]
    public async Task Bad_spans_are_refused_and_a_job_writes_its_own_traces_only()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var job = await Mlflow.JobAsync(host, "tracer");
        var traceId = Guid.NewGuid().ToByteArray();
        var request = Otlp.Request(Otlp.Span(traceId, 1, null, "s", (1, 2)));
        async Task BadAsync(byte[] body, string? experiment, string encoding, string message)
        {
            using var answer = await SendAsync(mlflow, experiment, body, encoding);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode is 400 or 404 && text.Contains(message, StringComparison.Ordinal), text);
        }

        await BadAsync(request, null, "", "x-mlflow-experiment-id is missing");
        await BadAsync(request, "77777", "", "No Experiment with id=77777 exists");
        await BadAsync(request[..^1], "0", "", "Malformed OTLP request");
        await BadAsync(request, "0", "br", "Unsupported Content-Encoding 'br'");
        await BadAsync(Otlp.Request(Otlp.Span([1, 2, 3], 1, null, "s", (1, 2))), "0", "", "no trace id of 16 bytes");
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var garbage = (byte[])request.Clone();
            garbage[random.Next(garbage.Length)] = (byte)random.Next(256);
            using var answer = await SendAsync(mlflow, "0", garbage, "");
            Assert.True((int)answer.StatusCode < 500, await answer.Content.ReadAsStringAsync());
        }

        using (var own = await SendAsync(job, "0", Otlp.Request(Otlp.Span(Guid.NewGuid().ToByteArray(), 1, null, "own", (1, 2))), ""))
        {
            Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        }

        Assert.Equal("own", Text((await mlflow.PostAsync(V3 + "/search", Search("0", "run_id = 'tracer'"))).GetProperty("traces")[0].GetProperty("tags"), "mlflow.traceName"));
        var foreign = await StartAsync(mlflow, "0");
        await job.FailsAsync($"{V3}/{foreign}/tags", new { key = "a", value = "b" }, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "The token of job 'tracer' may", "PATCH");
        using var stolen = await SendAsync(job, "0", Otlp.Request(Otlp.Span(Convert.FromHexString(foreign[3..]), 1, null, "s", (1, 2))), "");
        Assert.Equal(HttpStatusCode.Forbidden, stolen.StatusCode);
    }

    private static async Task<string> StartAsync(Mlflow mlflow, string experiment, int second = 1, string state = "OK")
    {
        var id = "tr-" + Guid.NewGuid().ToString("N");
        await mlflow.PostAsync(V3, new
        {
            trace = new
            {
                trace_info = new
                {
                    trace_id = id,
                    trace_location = new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } },
                    request_time = DateTimeOffset.FromUnixTimeSeconds(second).ToString("yyyy-MM-ddTHH:mm:ssZ"),
                    state,
                    trace_metadata = new Dictionary<string, string> { ["m"] = "x" },
                    tags = new Dictionary<string, string> { ["i"] = $"{second}" },
                },
            },
        });
        return id;
    }

    private static async Task<HttpResponseMessage> SendAsync(Mlflow mlflow, string? experiment, byte[] body, string encoding)
    {
        if (encoding == "gzip")
        {
            using var buffer = new MemoryStream();
            await using (var gzip = new GZipStream(buffer, CompressionMode.Compress))
            {
                await gzip.WriteAsync(body);
            }

            body = buffer.ToArray();
        }

        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/x-protobuf");
        if (encoding.Length > 0)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        if (experiment is not null)
        {
            content.Headers.Add("x-mlflow-experiment-id", experiment);
        }

        return await mlflow.SendAsync("POST", "/v1/traces", content);
    }

    private static object Search(string experiment, string filter, params string[] order) => new { locations = Locations(experiment), filter, order_by = order };

    private static object[] Locations(string experiment) => [new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } }];

    private static string? Text(JsonElement message, string member) => message.GetProperty(member).GetString();
}
