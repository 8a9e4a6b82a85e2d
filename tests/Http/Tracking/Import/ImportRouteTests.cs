using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Tracking;

namespace Zaffre.Tests.Http.Tracking.Import;

public sealed class ImportRouteTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Run = "0123456789abcdef0123456789abcdef";

    private string Route => $"/zaffre/v1{Mlflow.Default(host).Id}/mlflow:import";

    [Fact]
    public async Task Records_of_every_kind_keep_their_ids_and_times_and_sending_them_again_changes_nothing()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var span = new { trace_id = Convert.ToBase64String(new byte[16]), span_id = Convert.ToBase64String(new byte[8]), name = "ask", start_time_unix_nano = 1, end_time_unix_nano = 2, attributes = new[] { new { key = "mlflow.spanType", value = new { string_value = "\"LLM\"" } } } };
        object[] records =
        [
            new { kind = "experiment", name = "whole", created = 1000, updated = 2000, tags = new { e = "1" } },
            new { kind = "experiment", name = "gone", created = 1, updated = 2, deleted = true },
            new { kind = "run", id = Run, experiment = "whole", name = "first", user = "ada", status = "KILLED", start = 10, end = 20, tags = new Dictionary<string, string> { ["mlflow.parentRunId"] = "p", ["a"] = new string('t', 20_000) }, @params = new { lr = "0.1" } },
            new { kind = "run", id = "deleted-run", experiment = "gone", name = "second", status = "FAILED", start = 5, deleted = true },
            new { kind = "metrics", run = Run, points = new object[] { new object[] { "loss", 0.5, 11, 1 }, new object[] { "loss", "NaN", 12, 2 }, new object[] { "loss", "-Infinity", 13, 3 } } },
            new { kind = "inputs", run = Run, datasets = new[] { new { name = "d", digest = "x", source_type = "local", source = "s", schema = "c", tags = new Dictionary<string, string> { ["mlflow.data.context"] = "train" } } }, models = new[] { "m-in" }, outputs = new[] { new { model = "m-1", step = 3 } } },
            new { kind = "logged_model", id = "m-1", experiment = "whole", name = "net", type = "sklearn", source_run = Run, status = "READY", created = 30, updated = 40, tags = new { k = "v" }, @params = new { p = "q" }, metrics = new[] { new { run = Run, name = "acc", value = 0.9, time = 1, step = 2, dataset_name = "d", dataset_digest = "x" } } },
            new { kind = "registered_model", name = "churn", description = "who leaves", tags = new { team = "a" }, created = 50, updated = 60 },
            new { kind = "model_version", name = "churn", version = 7, source = "models:/m-1", run = Run, stage = "Production", description = "v", tags = new { b = "c" }, aliases = new[] { "champion" }, user = "ada", created = 70, updated = 80 },
            new { kind = "registered_model", name = "ask", tags = new Dictionary<string, string> { ["mlflow.prompt.is_prompt"] = "true" }, created = 1, updated = 2 },
            new { kind = "model_version", name = "ask", version = 3, source = "prompt-template", tags = new Dictionary<string, string> { ["mlflow.prompt.text"] = "Say {{x}}" }, created = 3, updated = 4 },
            new { kind = "trace", id = "tr-1", experiment = "whole", time = 100, duration = 1500, state = "OK", request_preview = "q", client_request_id = "c", tags = new Dictionary<string, string> { ["mlflow.traceName"] = "ask", ["mlflow.trace.spansLocation"] = "TRACKING_STORE" }, metadata = new Dictionary<string, string> { ["mlflow.sourceRun"] = Run }, runs = new[] { "other" }, assessments = new[] { new { assessment_id = "a-1", assessment_name = "good", source = new { source_type = "HUMAN", source_id = "ada" }, feedback = new { value = true }, created = 5, updated = 6 } } },
            new { kind = "spans", trace = "tr-1", spans = new[] { span } },
        ];
        var first = await SendAsync(mlflow, records);
        Assert.Equal(0, first.GetProperty("refusals").GetInt64());
        Assert.Equal((2, 2, 2, 2, 1, 3), (New(first, "experiment"), New(first, "run"), New(first, "registered_model"), New(first, "model_version"), New(first, "trace"), first.GetProperty("counts").GetProperty("metrics").GetProperty("total").GetInt64()));

        var before = await SeenAsync(mlflow);
        var run = (await mlflow.RunDataAsync(Run)).GetProperty("info");
        Assert.Equal(("first", "ada", "KILLED", 10, 20), (Text(run, "run_name"), Text(run, "user_id"), Text(run, "status"), run.GetProperty("start_time").GetInt64(), run.GetProperty("end_time").GetInt64()));
        var version = (await mlflow.GetAsync("registered-models/alias?name=churn&alias=champion")).GetProperty("model_version");
        Assert.Equal(("7", "Production", "m-1", "ada", 70, 80), (Text(version, "version"), Text(version, "current_stage"), Text(version, "model_id"), Text(version, "user_id"), version.GetProperty("creation_timestamp").GetInt64(), version.GetProperty("last_updated_timestamp").GetInt64()));
        var model = (await mlflow.GetAsync("registered-models/get?name=churn")).GetProperty("registered_model");
        Assert.Equal((50, 60), (model.GetProperty("creation_timestamp").GetInt64(), model.GetProperty("last_updated_timestamp").GetInt64()));
        Assert.Contains("\"value\":true", before, StringComparison.Ordinal);
        Assert.Contains("\"-Infinity\"", before, StringComparison.Ordinal);

        var second = await SendAsync(mlflow, records);
        Assert.Equal(0, second.GetProperty("refusals").GetInt64());
        Assert.All(second.GetProperty("counts").EnumerateObject(), kind => Assert.Equal(0, kind.Value.GetProperty("new").GetInt64()));
        Assert.Equal(before, await SeenAsync(mlflow));

        // The next version of the model follows those that came.
        await mlflow.PostAsync("model-versions/create", new { name = "churn", source = "models:/m-1" });
        await mlflow.GetAsync("model-versions/get?name=churn&version=8");
    }

    [Fact]
    public async Task A_rehearsal_counts_and_writes_nothing()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var answer = await SendAsync(mlflow, [new { kind = "experiment", name = "rehearsed" }, new { kind = "run", id = "rehearsed-run", experiment = "rehearsed", start = 1 }, new { kind = "metrics", run = "never", points = new[] { new object[] { "m", 1, 2, 3 } } }], "?rehearse=true");
        Assert.Equal((1, 1, 0), (New(answer, "experiment"), New(answer, "run"), answer.GetProperty("refusals").GetInt64()));
        await mlflow.ExpectAsync(HttpStatusCode.NotFound, "GET", "experiments/get-by-name?experiment_name=rehearsed", null);
    }

    [Fact]
    public async Task Every_fault_of_every_record_is_named_and_the_good_ones_come_over()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var lines = new[]
        {
            """{"kind":"experiment","name":"faults"}""",
            """{"kind":"run","id":"../../etc","experiment":"faults","status":"DONE","start":99999999999999999,"tags":{"k":{"no":1}},"params":[]}""",
            """{"kind":"metrics","run":"good-run","points":[["m",1,2,3],["m","seven",2,3],[1],["m",1,2,1.5]]}""",
            """{"kind":"dance"}""",
            """{"kind":"run","id":"a","id":"b"}""",
            "not json",
            "",
            """{"kind":"run","id":"good-run","experiment":"faults"}""",
            """{"kind":"run","id":"lost","experiment":"nowhere"}""",
            """{"kind":"model_version","name":"a b","version":0,"aliases":["latest"],"stage":"Best"}""",
            """{"kind":"spans","trace":"tr-none","spans":[{"trace_id":"AA==","span_id":""}]}""",
            $$"""{"kind":"registered_model","name":"long","description":"{{new string('x', 100_001)}}"}""",
            """{"kind":"logged_model","id":"n-1","experiment":"faults","name":"x","status":"ODD","metrics":[{"run":"good-run","name":"m","value":"many"}]}""",
        };
        var answer = await SendTextAsync(mlflow, string.Join('\n', lines));
        var refused = answer.GetProperty("refused").EnumerateArray().ToDictionary(one => one.GetProperty("line").GetInt32());
        Assert.Equal([2, 3, 4, 5, 6, 9, 10, 11, 12, 13], refused.Keys.Order());
        Assert.Equal(["id", "params", "start", "status", "tags.k"], Paths(refused[2]));
        Assert.Equal(["points[1]", "points[2]", "points[3]"], Paths(refused[3]));
        Assert.Equal("ExperimentNotFound", Text(refused[9], "code"));
        Assert.Equal(["aliases", "name", "stage", "version"], Paths(refused[10]));
        Assert.Equal(["spans[0].span_id"], Paths(refused[11]));
        Assert.Equal(["id", "metrics[0].value", "status"], Paths(refused[13]));
        Assert.Equal((1, 1), (New(answer, "experiment"), New(answer, "run")));

        using var endless = await mlflow.SendAsync("POST", Route, new StringContent("{\"kind\":\"" + new string('x', 21 * 1024 * 1024), Encoding.UTF8, "application/x-ndjson"));
        Assert.Equal(HttpStatusCode.BadRequest, endless.StatusCode);
        Assert.Contains("RecordTooLarge", await endless.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_here_already_is_joined_told_or_refused_by_name()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await host.Get<IDatabase>().WriteAsync(scope => host.Get<IRuns>().Create(scope, new NewRun { Workspace = Mlflow.Default(host), Id = "a-job", Experiment = "jobs" }), default);
        await SendAsync(mlflow, [new { kind = "experiment", name = "one" }, new { kind = "experiment", name = "two" }, new { kind = "run", id = "moved", experiment = "one", @params = new { p = "1" } }, new { kind = "registered_model", name = "kept" }, new { kind = "model_version", name = "kept", version = 1, source = "s3://bucket/a" }]);
        var answer = await SendAsync(mlflow,
        [
            new { kind = "experiment", name = "two", deleted = true },
            new { kind = "run", id = "moved", experiment = "two", @params = new { p = "2", q = "3" } },
            new { kind = "run", id = "a-job", experiment = "one" },
            new { kind = "model_version", name = "kept", version = 1, source = "runs:/moved/model" },
            new { kind = "model_version", name = "kept", version = 2, source = "runs:/moved/../../x" },
            new { kind = "registered_model", name = "kept", tags = new Dictionary<string, string> { ["mlflow.prompt.is_prompt"] = "true" } },
        ]);
        Assert.Equal(["ExperimentKeepsStage", "ParamStays", "RunStays"], answer.GetProperty("notes").EnumerateArray().Select(note => Text(note, "code")).Order());
        Assert.Equal(["RunIsJob", "ModelVersionExists", "InvalidPath", "NameTaken"], answer.GetProperty("refused").EnumerateArray().Select(one => Text(one, "code")));
        var values = (await mlflow.RunDataAsync("moved")).GetProperty("data").GetProperty("params");
        Assert.Equal("""[{"key":"p","value":"1"},{"key":"q","value":"3"}]""", values.GetRawText());
    }

    [Fact]
    public async Task A_file_is_kept_only_with_the_size_and_digest_that_were_said()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await SendAsync(mlflow, [new { kind = "experiment", name = "files" }, new { kind = "run", id = "filed", experiment = "files", deleted = true }, new { kind = "registered_model", name = "own" }, new { kind = "model_version", name = "own", version = 1, source = "s3://bucket/m", mlflow = true }]);
        const string Md5 = "XUFAKrxLKna5cZ2REBfFkg==";
        var bytes = "hello"u8.ToArray();
        Assert.Equal((HttpStatusCode.BadRequest, "Md5Mismatch"), await PutAsync(mlflow, "run/filed", "a/b.txt", bytes, new byte[16]));
        using (var none = await mlflow.SendAsync("GET", $"{Route}/files?owner=run/filed"))
        {
            Assert.Equal("", await none.Content.ReadAsStringAsync());
        }

        Assert.Equal((HttpStatusCode.OK, ""), await PutAsync(mlflow, "run/filed", "a/b.txt", bytes, Convert.FromBase64String(Md5)));
        Assert.Equal((HttpStatusCode.OK, ""), await PutAsync(mlflow, "version/own/1", "MLmodel", bytes, null));
        foreach (var path in new[] { "../x", "a/../../x", "%2e%2e/x", "", "a//b" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await PutAsync(mlflow, "run/filed", path, bytes, null)).Status);
        }

        Assert.Equal((HttpStatusCode.NotFound, "ResourceNotFound"), await PutAsync(mlflow, "run/nobody", "x", bytes, null));
        using var list = await mlflow.SendAsync("GET", $"{Route}/files?owner=run/filed");
        var line = JsonNode.Parse(await list.Content.ReadAsStringAsync())!;
        Assert.Equal(("a/b.txt", 5, Md5), ((string)line["path"]!, (int)line["size"]!, (string?)line["md5"]));
        using var read = await mlflow.SendAsync("GET", "/api/2.0/mlflow-artifacts/artifacts/registry/own/1/MLmodel");
        Assert.Equal("hello", await read.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Only_who_may_import_imports()
    {
        using var reader = new Mlflow(await host.PrincipalAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7"));
        using var job = await Mlflow.JobAsync(host, "importing-job");
        foreach (var somebody in new[] { reader, job })
        {
            using var answer = await somebody.SendAsync("POST", Route, new StringContent("{}"));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await PutAsync(somebody, "run/x", "y", [1], null)).Status);
        }

        using var scientist = new Mlflow(await host.PrincipalAsync("f6c7c914-8db3-469d-8ca1-694a8f32e121"));
        Assert.Equal(1, New(await SendAsync(scientist, [new { kind = "experiment", name = "of a scientist" }]), "experiment"));
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static long New(JsonElement answer, string kind) => answer.GetProperty("counts").GetProperty(kind).GetProperty("new").GetInt64();

    private static IEnumerable<string> Paths(JsonElement refused) => refused.GetProperty("problems").EnumerateArray().Select(problem => Text(problem, "path")).Order(StringComparer.Ordinal);

    private static async Task<string> SeenAsync(Mlflow mlflow)
    {
        var seen = new StringBuilder();
        foreach (var path in new[] { "experiments/get-by-name?experiment_name=whole", "experiments/get-by-name?experiment_name=gone", $"runs/get?run_id={Run}", "runs/get?run_id=deleted-run", $"metrics/get-history?run_id={Run}&metric_key=loss", "logged-models/m-1", "registered-models/get?name=churn", "model-versions/get?name=churn&version=7", "registered-models/get?name=ask", "model-versions/get?name=ask&version=3", "/api/3.0/mlflow/traces/get?trace_id=tr-1" })
        {
            seen.AppendLine((await mlflow.GetAsync(path)).GetRawText());
        }

        return seen.ToString();
    }

    private Task<JsonElement> SendAsync(Mlflow mlflow, object[] records, string query = "") => SendTextAsync(mlflow, string.Join('\n', records.Select(record => JsonSerializer.Serialize(record))), query);

    private async Task<JsonElement> SendTextAsync(Mlflow mlflow, string lines, string query = "")
    {
        using var answer = await mlflow.SendAsync("POST", Route + query, new StringContent(lines, Encoding.UTF8, "application/x-ndjson"));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.Clone();
    }

    private async Task<(HttpStatusCode Status, string Code)> PutAsync(Mlflow mlflow, string owner, string path, byte[] bytes, byte[]? md5)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentMD5 = md5;
        using var answer = await mlflow.SendAsync("PUT", $"{Route}/files?owner={owner}&path={Uri.EscapeDataString(path)}", content);
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync());
        return (answer.StatusCode, (string?)said?["error"]?["code"] ?? "");
    }
}
