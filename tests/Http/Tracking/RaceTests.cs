using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Callers who change the same things at once, and callers who send again what they have no answer for.</summary>
public sealed class RaceTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Theory]
    [InlineData("runs")]
    [InlineData("experiments")]
    public async Task What_is_logged_while_its_owner_is_deleted_and_restored_is_refused_or_there(string api)
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var run = await mlflow.RunAsync(experiment);
        var owner = api == "runs" ? (object)new { run_id = run } : new { experiment_id = experiment };
        var (acknowledged, made, refused) = (new ConcurrentBag<long>(), new ConcurrentBag<string>(), 0);
        using var stop = new CancellationTokenSource();
        var deleting = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await mlflow.PostAsync(api + "/delete", owner);
                await mlflow.PostAsync(api + "/restore", owner);
            }
        });
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var creates = i % 5 == 0;
            var (status, answer) = creates
                ? await AskAsync(mlflow, "runs/create", new { experiment_id = experiment })
                : await AskAsync(mlflow, "runs/log-batch", new { run_id = run, metrics = new[] { new { key = "m", value = i, timestamp = i, step = i } }, @params = new[] { new { key = $"p{i}", value = "1" } } });
            if (status == HttpStatusCode.OK && creates)
            {
                made.Add(answer.GetProperty("run").GetProperty("info").GetProperty("run_id").GetString()!);
            }
            else if (status == HttpStatusCode.OK)
            {
                acknowledged.Add(i);
            }
            else
            {
                Interlocked.Increment(ref refused);
                Assert.Equal((HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE"), (status, answer.GetProperty("error_code").GetString()));
                Assert.Contains("must be in the 'active' state", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
            }
        });
        await stop.CancelAsync();
        await deleting;

        var history = (await mlflow.GetAsync($"metrics/get-history?run_id={run}&metric_key=m")).GetProperty("metrics").EnumerateArray().Select(point => point.GetProperty("step").GetInt64());
        Assert.Equal(acknowledged.Order(), history);
        var data = (await mlflow.RunDataAsync(run)).GetProperty("data");
        Assert.Equal(acknowledged.Count, data.GetProperty("params").GetArrayLength());
        Assert.Equal(acknowledged.Max(), data.GetProperty("metrics")[0].GetProperty("value").GetInt64());
        var found = (await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment } })).GetProperty("runs").EnumerateArray().Select(one => one.GetProperty("info").GetProperty("run_id").GetString()!);
        Assert.Equal(made.Append(run).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        Assert.NotEqual(0, refused);
    }

    [Fact]
    public async Task Versions_aliases_and_stages_that_many_change_at_once_stay_whole()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var numbers = new ConcurrentBag<int>();
        await mlflow.PostAsync("registered-models/create", new { name = "contested" });
        async Task<string> VersionAsync()
        {
            var number = (await mlflow.PostAsync("model-versions/create", new { name = "contested", source = $"runs:/{run}/m" })).GetProperty("model_version").GetProperty("version").GetString()!;
            numbers.Add(int.Parse(number, CultureInfo.InvariantCulture));
            return number;
        }

        await VersionAsync();
        await Parallel.ForEachAsync(Enumerable.Range(0, 48), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var version = await VersionAsync();
            var wanted = new[] { HttpStatusCode.OK, HttpStatusCode.NotFound };
            foreach (var (path, body) in new (string, object)[]
            {
                ("model-versions/transition-stage", new { name = "contested", version, stage = "Production", archive_existing_versions = true }),
                ("registered-models/alias", new { name = "contested", alias = "champion", version }),
                ("model-versions/set-tag", new { name = "contested", version = "1", key = $"k{i}", value = "v" }),
            })
            {
                Assert.Contains((await AskAsync(mlflow, path, body)).Status, wanted);
            }

            if (i % 3 == 0)
            {
                await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", Mlflow.Api + "model-versions/delete", new { name = "contested", version });
            }
        });

        Assert.Equal(Enumerable.Range(1, 49), numbers.Order());
        var versions = (await mlflow.PostAsync("model-versions/search", new { filter = "name = 'contested'" })).GetProperty("model_versions").EnumerateArray().ToList();
        Assert.Equal(49 - 16, versions.Count);
        Assert.True(versions.Count(version => version.GetProperty("current_stage").GetString() == "Production") <= 1);
        var aliased = versions.Where(version => version.TryGetProperty("aliases", out var _)).ToList();
        var model = (await mlflow.GetAsync("registered-models/get?name=contested")).GetProperty("registered_model");
        Assert.Equal(aliased.Select(version => version.GetProperty("version").GetString()), model.TryGetProperty("aliases", out var aliases) ? aliases.EnumerateArray().Select(alias => alias.GetProperty("version").GetString()) : []);
        Assert.True(aliased.Count <= 1);

        // Of many who change one document nobody's change was undone by a neighbour's.
        var tags = versions.Single(version => version.GetProperty("version").GetString() == "1").GetProperty("tags");
        Assert.Equal(48, tags.GetArrayLength());
    }

    [Fact]
    public async Task An_ARM_client_that_holds_a_models_old_etag_is_told_that_MLflow_changed_it()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var arm = await host.OwnerAsync();
        var run = await mlflow.RunAsync();
        await mlflow.PostAsync("registered-models/create", new { name = "shared" });
        await mlflow.PostAsync("model-versions/create", new { name = "shared", source = $"runs:/{run}/m" });
        var url = new Uri($"{host.Workspace.Id}/models/shared/versions/1?api-version=2024-10-01", UriKind.Relative);
        using var read = await arm.GetAsync(url);
        var document = await read.Content.ReadAsStringAsync();
        async Task<HttpStatusCode> PutAsync(string etag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = new StringContent(document, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("If-Match", etag);
            using var answer = await arm.SendAsync(request);
            return answer.StatusCode;
        }

        await mlflow.PostAsync("model-versions/set-tag", new { name = "shared", version = "1", key = "k", value = "v" });
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(read.Headers.ETag!.ToString()));
        using var again = await arm.GetAsync(url);
        Assert.NotEqual(read.Headers.ETag, again.Headers.ETag);
        Assert.Contains("\"k\"", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await mlflow.PostAsync("model-versions/set-tag", new { name = "shared", version = "1", key = "k", value = "v" });
        using var same = await arm.GetAsync(url);
        Assert.Equal(again.Headers.ETag, same.Headers.ETag);
    }

    [Fact]
    public async Task A_model_that_is_logged_again_after_a_lost_answer_is_noted_once_whatever_the_tag_held()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.PostAsync("runs/set-tag", new { run_id = run, key = "mlflow.log-model.history", value = "[{\"no\": \"list" });
        foreach (var id in new[] { "1", "1", "2" })
        {
            await mlflow.PostAsync("runs/log-model", new { run_id = run, model_json = JsonSerializer.Serialize(new { artifact_path = "m", flavors = new { }, model_uuid = id }) });
        }

        var history = (await mlflow.RunDataAsync(run)).GetProperty("data").GetProperty("tags").EnumerateArray().Single(tag => tag.GetProperty("key").GetString() == "mlflow.log-model.history").GetProperty("value").GetString()!;
        Assert.Equal(["1", "2"], JsonDocument.Parse(history).RootElement.EnumerateArray().Select(model => model.GetProperty("model_uuid").GetString()));
        await mlflow.FailsAsync("runs/log-model", new { run_id = run, model_json = """{"artifact_path":"a","artifact_path":"b","flavors":{}}""" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Malformed model info");
    }

    [Fact]
    public async Task Members_named_twice_are_refused_where_the_document_is_kept()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var trace = (await mlflow.PostAsync("traces", new { experiment_id = "0", timestamp_ms = 1 })).GetProperty("trace_info").GetProperty("request_id").GetString();
        const string Assessment = """{"assessment":{"assessment_name":"a","assessment_name":"b","source":{"source_type":"CODE"},"feedback":{"value":1}}}""";
        await mlflow.FailsAsync($"/api/3.0/mlflow/traces/{trace}/assessments", Assessment, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "assessment");
        using var spans = new StringContent("""{"resourceSpans":[],"resourceSpans":[]}""", Encoding.UTF8, "application/json");
        spans.Headers.Add("x-mlflow-experiment-id", "0");
        using var answer = await mlflow.SendAsync("POST", "/v1/traces", spans);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Spans_of_a_full_trace_that_are_sent_again_are_not_reported_as_rejected()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var hex = Guid.NewGuid().ToString("N");
        Assert.Equal("{}", await SpansAsync(mlflow, hex, 1, 3));
        await host.Get<Database.IDatabase>().WriteAsync(
            scope => scope.Execute(
                "INSERT INTO trace_spans (trace, span, start, name, type, status, document) SELECT t.key, 'full' || n.value, 1, 'n', 'UNKNOWN', 'OK', '{}' FROM traces t, "
                + "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 99997) SELECT value FROM n) n WHERE t.id = @id",
                new { id = "tr-" + hex }),
            default);
        Assert.Equal("{}", await SpansAsync(mlflow, hex, 1, 3));
        Assert.Contains("\"rejectedSpans\":2", await SpansAsync(mlflow, hex, 2, 4), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trace_larger_than_what_is_read_at_once_comes_whole_and_in_order()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var trace = Guid.NewGuid().ToByteArray();
        for (ulong i = 1; i <= 6; i++)
        {
            using var content = new ByteArrayContent(Otlp.Request(Otlp.Span(trace, i, i == 1 ? null : 1, "s" + i, (100 - i, 200), ("a", new string((char)('a' + i), 1_500_000)))));
            content.Headers.ContentType = new("application/x-protobuf");
            content.Headers.Add("x-mlflow-experiment-id", "0");
            using var answer = await mlflow.SendAsync("POST", "/v1/traces", content);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var found = await mlflow.GetAsync("/api/3.0/mlflow/traces/get?trace_id=tr-" + Convert.ToHexStringLower(trace));
        Assert.Equal(["s6", "s5", "s4", "s3", "s2", "s1"], found.GetProperty("trace").GetProperty("spans").EnumerateArray().Select(span => span.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task The_tags_of_a_model_are_bounded_together()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var tags = Enumerable.Range(0, 20).Select(i => new { key = $"k{i}", value = new string('x', 99_000) });
        await mlflow.PostAsync("registered-models/create", new { name = "tagged", tags });
        await mlflow.PostAsync("registered-models/set-tag", new { name = "tagged", key = "k0", value = "short" });
        await mlflow.FailsAsync("registered-models/create", new { name = "more", tags = tags.Append(new { key = "last", value = new string('x', 99_000) }) }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "2000000 characters together");
        await mlflow.PostAsync("registered-models/set-tag", new { name = "tagged", key = "k21", value = new string('x', 99_000) });
        await mlflow.FailsAsync("registered-models/set-tag", new { name = "tagged", key = "k22", value = new string('x', 99_000) }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "2000000 characters together");
    }

    private static async Task<string> SpansAsync(Mlflow mlflow, string trace, int first, int count)
    {
        var spans = Enumerable.Range(first, count).Select(i => new { traceId = trace, spanId = i.ToString("x16", CultureInfo.InvariantCulture), name = "s", startTimeUnixNano = "1", endTimeUnixNano = "2" });
        using var content = JsonContent.Create(new { resourceSpans = new[] { new { scopeSpans = new[] { new { spans } } } } });
        content.Headers.Add("x-mlflow-experiment-id", "0");
        using var answer = await mlflow.SendAsync("POST", "/v1/traces", content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> AskAsync(Mlflow mlflow, string path, object body)
    {
        using var answer = await mlflow.SendAsync("POST", Mlflow.Api + path, JsonContent.Create(body));
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.Clone());
    }
}
