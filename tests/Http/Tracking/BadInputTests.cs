using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>What clients send by mistake or on purpose: refused by name, stored whole, or never seen; no 5xx.</summary>
public sealed class BadInputTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Proxy = "/api/2.0/mlflow-artifacts/artifacts/";
    private const string V3 = "/api/3.0/mlflow/traces";
    private static readonly object[] FarOff = [8_640_000_000_000_000, -1, 0, long.MinValue, long.MaxValue, "9223372036854775807", "9223372036854775808", "-9223372036854775809", 1e300, 1.5, "NaN", "2024-01-01", true];

    public static TheoryData<string, string, int> Limits { get; } = new()
    {
        { "runs/log-metric", """{"run_id":"RUN","key":"LONG","value":1,"timestamp":1}""", 250 },
        { "runs/log-parameter", """{"run_id":"RUN","key":"LONG","value":"1"}""", 250 },
        { "runs/set-tag", """{"run_id":"RUN","key":"LONG","value":"1"}""", 250 },
        { "runs/log-batch", """{"run_id":"RUN","metrics":[{"key":"LONG","value":1,"timestamp":1}]}""", 250 },
        { "runs/log-batch", """{"run_id":"RUN","params":[{"key":"LONG","value":"1"}]}""", 250 },
        { "runs/log-batch", """{"run_id":"RUN","tags":[{"key":"LONG","value":"1"}]}""", 250 },
        { "runs/create", """{"tags":[{"key":"LONG","value":"1"}]}""", 250 },
        { "experiments/create", """{"name":"LONG"}""", 500 },
        { "experiments/set-experiment-tag", """{"experiment_id":"0","key":"LONG","value":"1"}""", 250 },
        { "experiments/set-experiment-tag", """{"experiment_id":"0","key":"k","value":"LONG"}""", 5000 },
        { "registered-models/create", """{"name":"NAME","tags":[{"key":"LONG","value":"1"}]}""", 250 },
        { "registered-models/create", """{"name":"NAME","tags":[{"key":"k","value":"LONG"}]}""", 100_000 },
        { "registered-models/alias", """{"name":"MODEL","alias":"LONG","version":"1"}""", 255 },
        { "runs/log-inputs", """{"run_id":"RUN","datasets":[{"dataset":{"name":"LONG","digest":"d","source_type":"local","source":"s"}}]}""", 500 },
        { "runs/log-inputs", """{"run_id":"RUN","datasets":[{"dataset":{"name":"n","digest":"LONG","source_type":"local","source":"s"}}]}""", 36 },
        { "runs/log-inputs", """{"run_id":"RUN","datasets":[{"dataset":{"name":"n","digest":"e","source_type":"local","source":"LONG"}}]}""", 65_535 },
        { "runs/log-inputs", """{"run_id":"RUN","datasets":[{"dataset":{"name":"n","digest":"f","source_type":"local","source":"s","schema":"LONG"}}]}""", 1_048_575 },
        { "runs/log-inputs", """{"run_id":"RUN","datasets":[{"tags":[{"key":"LONG","value":"1"}],"dataset":{"name":"n","digest":"h","source_type":"local","source":"s"}}]}""", 255 },
        { "runs/log-inputs", """{"run_id":"RUN","datasets":[{"tags":[{"key":"k","value":"LONG"}],"dataset":{"name":"n","digest":"i","source_type":"local","source":"s"}}]}""", 500 },
        { "traces", """{"experiment_id":"0","timestamp_ms":1,"tags":[{"key":"LONG","value":"1"}]}""", 250 },
    };

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task What_is_as_long_as_the_limit_is_taken_and_what_is_longer_refused(string path, string body, int limit)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (run, model) = (await mlflow.RunAsync(), "m" + Guid.NewGuid().ToString("N"));
        if (body.Contains("MODEL", StringComparison.Ordinal))
        {
            await mlflow.PostAsync("registered-models/create", new { name = model });
            await mlflow.PostAsync("model-versions/create", new { name = model, source = $"runs:/{run}/model", run_id = run });
        }

        string Of(int length) => body.Replace("RUN", run, StringComparison.Ordinal).Replace("MODEL", model, StringComparison.Ordinal).Replace("NAME", model, StringComparison.Ordinal)
            .Replace("LONG", Guid.NewGuid().ToString("N")[..Math.Min(16, length)].PadRight(length, 'x'), StringComparison.Ordinal);
        await mlflow.ExpectAsync(HttpStatusCode.BadRequest, "POST", path, Of(limit + 1));
        await mlflow.ExpectAsync(HttpStatusCode.OK, "POST", path, Of(limit));
    }

    [Fact]
    public async Task Times_and_steps_far_off_are_kept_or_refused_and_everything_can_still_be_read()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var run = await mlflow.RunAsync(experiment);
        foreach (var time in FarOff)
        {
            await AnswersAsync(mlflow, "POST", Mlflow.Api + "runs/create", new { experiment_id = experiment, start_time = time });
            await AnswersAsync(mlflow, "POST", Mlflow.Api + "runs/update", new { run_id = run, status = "FINISHED", end_time = time });
            await AnswersAsync(mlflow, "POST", Mlflow.Api + "runs/log-metric", new { run_id = run, key = "m", value = 1, timestamp = time, step = 0 });
            await AnswersAsync(mlflow, "POST", Mlflow.Api + "runs/log-metric", new { run_id = run, key = "m", value = 1, timestamp = 1, step = time });
            await AnswersAsync(mlflow, "POST", Mlflow.Api + "runs/log-batch", new { run_id = run, metrics = new[] { new { key = "n", value = 1, timestamp = time, step = time } } });
            await AnswersAsync(mlflow, "POST", Mlflow.Api + "traces", new { experiment_id = experiment, timestamp_ms = time });
            await AnswersAsync(mlflow, "POST", V3 + "/delete-traces", new { experiment_id = "77777", max_timestamp_millis = time });
            foreach (var filter in new[] { "start_time", "end_time", "metrics.m" })
            {
                await AnswersAsync(mlflow, "POST", Mlflow.Api + "runs/search", new { experiment_ids = new[] { experiment }, filter = string.Create(CultureInfo.InvariantCulture, $"{filter} >= {time}") });
            }

            await AnswersAsync(mlflow, "GET", $"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key=m&start_step={time}&end_step={time}", null);
        }

        foreach (var text in new[] { "+275760-09-13T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00", "now", "1e9" })
        {
            var info = new { trace_id = "tr-" + Guid.NewGuid().ToString("N"), trace_location = new { mlflow_experiment = new { experiment_id = experiment } }, request_time = text, execution_duration = "999999999.999s" };
            await AnswersAsync(mlflow, "POST", V3, new { trace = new { trace_info = info } });
        }

        foreach (var (start, end) in new[] { (0UL, ulong.MaxValue), (ulong.MaxValue, 1UL), ((ulong)long.MaxValue, (ulong)long.MaxValue + 1), ((ulong)long.MaxValue + 1, (ulong)long.MaxValue) })
        {
            Assert.Equal(HttpStatusCode.OK, await SpansAsync(mlflow, experiment, Otlp.Request(Otlp.Span(Guid.NewGuid().ToByteArray(), 1, null, "s", (start, end)))));
        }

        await mlflow.RunDataAsync(run);
        await mlflow.GetAsync($"metrics/get-history?run_id={run}&metric_key=m");
        await mlflow.GetAsync($"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key=m");
        await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment }, order_by = new[] { "end_time DESC" } });
        await mlflow.PostAsync(V3 + "/search", new { locations = new[] { new { mlflow_experiment = new { experiment_id = experiment } } }, order_by = new[] { "end_time" } });
        var answer = await mlflow.PostAsync(V3 + "/metrics", new { experiment_ids = new[] { experiment }, view_type = 2, metric_name = "latency", aggregations = new[] { new { aggregation_type = "AVG" } }, time_interval_seconds = 1, start_time_ms = long.MinValue, end_time_ms = long.MaxValue });
        Assert.True(answer.TryGetProperty("data_points", out _), answer.GetRawText());
    }

    [Fact]
    public async Task Binary_values_are_refused_and_every_text_comes_back_as_it_was()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        foreach (var value in new[] { "\"\\ud800\"", "\"a\\udc00b\"", "\"a\\u0000b\"", "[1,2]", "{}", "\"\\x00\"", "\"a\nb\"" })
        {
            foreach (var (path, body) in new[]
            {
                ("runs/set-tag", $$"""{"run_id":"{{run}}","key":"k","value":{{value}}}"""),
                ("runs/log-parameter", $$"""{"run_id":"{{run}}","key":"k","value":{{value}}}"""),
                ("runs/log-batch", $$"""{"run_id":"{{run}}","tags":[{"key":"k","value":{{value}}}]}"""),
                ("experiments/set-experiment-tag", $$"""{"experiment_id":"0","key":"k","value":{{value}}}"""),
                ("registered-models/create", $$"""{"name":"bin","tags":[{"key":"k","value":{{value}}}]}"""),
                ("runs/create", $$"""{"run_name":{{value}}}"""),
                (V3, $$$$$"""{"trace":{"trace_info":{"trace_id":"tr-bin","request_time":"2025-01-01T00:00:00Z","trace_location":{"mlflow_experiment":{"experiment_id":"0"}},"tags":{"k":{{{{{value}}}}}}}}}"""),
                ("traces", $$"""{"experiment_id":"0","timestamp_ms":1,"tags":[{"key":{{value}},"value":"v"}]}"""),
            })
            {
                await mlflow.ExpectAsync(HttpStatusCode.BadRequest, "POST", path, body);
            }
        }

        using (var bytes = new ByteArrayContent([.. Encoding.UTF8.GetBytes($$"""{"run_id":"{{run}}","key":"k","value":"""), (byte)'"', 0xff, 0xc0, 0xaf, (byte)'"', (byte)'}']))
        {
            bytes.Headers.ContentType = new("application/json");
            using var answer = await mlflow.SendAsync("POST", Mlflow.Api + "runs/set-tag", bytes);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }

        var text = "\u0001\u001f\u007f\u0085\u2028\ufeff\ufffe\u202e\"\\/<script>\t\r\n'`; \ud83d\ude42";
        await mlflow.PostAsync("runs/set-tag", new { run_id = run, key = "k", value = text });
        await mlflow.PostAsync("runs/log-parameter", new { run_id = run, key = "k", value = text });
        var data = (await mlflow.RunDataAsync(run)).GetProperty("data");
        Assert.Equal(text, data.GetProperty("params")[0].GetProperty("value").GetString());
        Assert.Contains(data.GetProperty("tags").EnumerateArray(), tag => tag.GetProperty("key").GetString() == "k" && tag.GetProperty("value").GetString() == text);
        Assert.Single((await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { "0" }, filter = $"tags.k = '{text.Replace("'", "''", StringComparison.Ordinal)}' AND run_id = '{run}'" })).GetProperty("runs").EnumerateArray());
    }

    [Fact]
    public async Task Paths_of_artifacts_lead_nowhere_else_however_they_are_encoded()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        foreach (var path in new[]
        {
            "../x", "..%2fx", "%2e%2e/x", "%2e%2e%2fx", ".%2e/x", "%2e./x", "%252e%252e/x", "%252e%252e%252fx", "%25252e%25252e/x", "..\\x", "..%5cx", "..%255cx", "%c0%ae%c0%ae/x", "%c0%ae%c0%ae%c0%afx", "%e0%80%ae./x",
            "..%00/x", "a/..%00/x", "./x", "a/./x", "a//x", "/x", "%2fx", "%2f%2fetc%2fpasswd", "C:%5cx", "a/../../x", "a/%2e%2e/%2e%2e/x", "..;/x", "a%0a/x", "%", "%zz", "%u002e%u002e/x", "x%00.txt", "~/x", "a/..", "..", ".", "%2e",
        })
        {
            await AnswersAsync(mlflow, "GET", $"{Proxy.TrimEnd('/')}?path=0/{run}/artifacts/{path}", null);
            await AnswersAsync(mlflow, "GET", $"{Mlflow.Api}artifacts/list?run_id={run}&path={path}", null);
            await AnswersAsync(mlflow, "GET", $"/get-artifact?run_uuid={run}&path={path}", null);
        }
    }

    [Fact]
    public async Task An_upload_that_is_cut_off_leaves_nothing_to_see()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await CutAsync("PUT", $"{Proxy}0/{run}/artifacts/model.bin");
        Assert.False((await mlflow.GetAsync($"artifacts/list?run_id={run}")).TryGetProperty("files", out _));
        await mlflow.FailsAsync($"{Proxy}0/{run}/artifacts/model.bin", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No artifact 'model.bin'", "GET");
        await mlflow.ExpectAsync(HttpStatusCode.OK, "PUT", $"{Proxy}0/{run}/artifacts/model.bin", "{}");
        await CutAsync("PUT", $"{Proxy}0/{run}/artifacts/model.bin");
        using var kept = await mlflow.SendAsync("GET", $"{Proxy}0/{run}/artifacts/model.bin");
        Assert.Equal("{}", await kept.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Bodies_that_are_too_large_or_too_deep_are_refused()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using (var large = new ByteArrayContent(new byte[65 * 1024 * 1024]))
        {
            large.Headers.ContentType = new("application/json");
            using var answer = await mlflow.SendAsync("POST", Mlflow.Api + "runs/log-batch", large);
            Assert.True((int)answer.StatusCode is 400 or 413, $"{answer.StatusCode}");
        }

        using (var spans = new ByteArrayContent(new byte[65 * 1024 * 1024]))
        {
            spans.Headers.ContentType = new("application/x-protobuf");
            spans.Headers.Add("x-mlflow-experiment-id", "0");
            using var answer = await mlflow.SendAsync("POST", "/v1/traces", spans);
            Assert.True((int)answer.StatusCode is 400 or 413, $"{answer.StatusCode}");
        }

        foreach (var (open, close) in new[] { ("{\"a\":", "}"), ("[", "]"), ("{\"name\":[", "]}") })
        {
            var deep = string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000));
            foreach (var path in new[] { "experiments/create", "runs/log-batch", "logged-models", V3 + "/search", V3 + "/tr-1/assessments", V3 + "/metrics" })
            {
                await mlflow.ExpectAsync(HttpStatusCode.BadRequest, "POST", path, deep);
            }
        }
    }

    private static async Task AnswersAsync(Mlflow mlflow, string method, string path, object? body)
    {
        using var content = body is null ? null : new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var answer = await mlflow.SendAsync(method, path, content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode < 500, $"{method} {path} {(body is null ? "" : JsonSerializer.Serialize(body))}: {text}");
    }

    private static async Task<HttpStatusCode> SpansAsync(Mlflow mlflow, string experiment, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/x-protobuf");
        content.Headers.Add("x-mlflow-experiment-id", experiment);
        using var answer = await mlflow.SendAsync("POST", "/v1/traces", content);
        return answer.StatusCode;
    }

    /// <summary>Sends half of what is announced, then the line is gone.</summary>
    private async Task CutAsync(string method, string path)
    {
        using var client = host.With(await Identity.Tokens.OwnerAsync(host));
        using var gone = new CancellationTokenSource();
        using var content = new HalfContent();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = content };
        var sending = client.SendAsync(request, gone.Token);
        await content.Sent;
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private sealed class HalfContent : HttpContent
    {
        private readonly TaskCompletionSource sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Sent => sent.Task;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[50_000], cancellationToken);
            await stream.FlushAsync(cancellationToken);
            sent.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 200_000;
            return true;
        }
    }
}
