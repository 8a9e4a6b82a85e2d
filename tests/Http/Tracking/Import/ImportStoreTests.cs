using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Zaffre.Cli;
using Zaffre.Cli.Mlflow;
using Zaffre.Database;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Tracking.Import;

public sealed class ImportStoreTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("zaffre-mlflow-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everything_of_a_database_comes_over_and_a_second_run_brings_only_what_is_new(bool three)
    {
        var suffix = three ? "three" : "two";
        await using var own = new Fresh();
        var database = MlflowDatabase.Make(root, suffix, three);
        using var mlflow = await Mlflow.OwnerAsync(own.Host);
        var report = await ImportAsync(own.Host, database);
        Assert.Equal(0, report.Problems);

        await CheckRunsAsync(mlflow, suffix);
        await CheckRegistryAsync(mlflow, suffix, three);
        await CheckTraceAsync(mlflow, suffix, three);
        var again = await ImportAsync(own.Host, database);
        Assert.Equal((0, 0, 0, 0), (again.Problems, again.Of("run").New, again.Of("model_version").New, again.Of("file").New));
        Assert.Equal(report.Of("file").Total, again.Of("file").Total);

        MlflowDatabase.Execute(database, $"INSERT INTO metrics VALUES ('acc', 0.8, 11002, '{MlflowDatabase.Child}', 1, 0); UPDATE runs SET status = 'FINISHED', end_time = 19000 WHERE name = 'child'; "
            + "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, experiment_id, source_type) VALUES ('66666666666666666666666666666666', 'late', 'RUNNING', 70000, 'active', 1, 'LOCAL');");
        File.WriteAllText(Path.Combine(root, "mlruns/1", MlflowDatabase.Child, "artifacts/new.txt"), "new");
        var changed = await ImportAsync(own.Host, database);
        Assert.Equal((0, 1, 1), (changed.Problems, changed.Of("run").New, changed.Of("file").New));
        var child = await mlflow.RunDataAsync(MlflowDatabase.Child);
        Assert.Equal(("FINISHED", 19000), (child.GetProperty("info").GetProperty("status").GetString(), child.GetProperty("info").GetProperty("end_time").GetInt64()));
        Assert.Equal(2, (await mlflow.GetAsync($"metrics/get-history?run_id={MlflowDatabase.Child}&metric_key=acc")).GetProperty("metrics").GetArrayLength());
    }

    [Fact]
    public async Task An_import_that_is_cut_off_at_every_call_ends_with_nothing_lost_and_nothing_doubled()
    {
        var database = MlflowDatabase.Make(root, "cut", three: true);
        MlflowDatabase.AddPoints(database, MlflowDatabase.Child, 5000);
        await using var own = new Fresh();
        using var mlflow = await Mlflow.OwnerAsync(own.Host);
        var cuts = 0;
        for (var calls = 1; ; calls++)
        {
            try
            {
                await ImportAsync(own.Host, database, new Cut(await HandlerAsync(own.Host), calls, (Loss)(calls % 3)));
                break;
            }
            catch (OperationCanceledException)
            {
                cuts++;
            }
        }

        Assert.True(cuts > 5, $"cut off {cuts} times only");
        await CheckRunsAsync(mlflow, "cut");
        await CheckRegistryAsync(mlflow, "cut", three: true);
        await CheckTraceAsync(mlflow, "cut", three: true);
        Assert.Equal(5000, (await mlflow.GetAsync($"metrics/get-history?run_id={MlflowDatabase.Child}&metric_key=long")).GetProperty("metrics").GetArrayLength());
    }

    [Fact]
    public async Task A_hundred_thousand_points_are_sent_in_pieces_also_while_a_server_writes_to_the_file()
    {
        var database = MlflowDatabase.Make(root, "long", three: true);
        using var writer = SqliteFile.OpenWrite(database);
        MlflowDatabase.Execute(writer, "PRAGMA journal_mode = WAL");
        MlflowDatabase.AddPoints(database, MlflowDatabase.Child, 100_000);
        using var open = await writer.BeginTransactionAsync();
        using (var command = writer.CreateCommand())
        {
            command.Transaction = open;
            command.CommandText = "UPDATE runs SET name = 'not committed'";
            await command.ExecuteNonQueryAsync();
        }

        await using var own = new Fresh();
        var handler = new Cut(await HandlerAsync(own.Host), int.MaxValue, Loss.Call);
        var report = await ImportAsync(own.Host, database, handler);
        Assert.Equal((0, 100_006), (report.Problems, report.Of("metrics").Total));
        Assert.InRange(handler.Largest, 1, 4 * 1024 * 1024);
        using var mlflow = await Mlflow.OwnerAsync(own.Host);
        var history = (await mlflow.GetAsync($"metrics/get-history?run_id={MlflowDatabase.Child}&metric_key=long")).GetProperty("metrics");
        Assert.Equal((100_000, 49_999.5), (history.GetArrayLength(), history[99_999].GetProperty("value").GetDouble()));
        Assert.Equal("child", (await mlflow.RunDataAsync(MlflowDatabase.Child)).GetProperty("info").GetProperty("run_name").GetString());
    }

    [Fact]
    public async Task A_database_that_names_files_of_others_gets_none_and_what_is_sound_in_it_comes_over()
    {
        var database = MlflowDatabase.Make(root, "hostile", three: false);
        var secret = Directory.CreateTempSubdirectory("zaffre-secret-").FullName;
        File.WriteAllText(Path.Combine(secret, "key"), "secret");
        var artifacts = Path.Combine(root, "mlruns/1", MlflowDatabase.Parent, "artifacts");
        File.CreateSymbolicLink(Path.Combine(artifacts, "link"), Path.Combine(secret, "key"));
        Directory.CreateSymbolicLink(Path.Combine(root, "mlruns/linked"), secret);
        MlflowDatabase.Execute(database, $"UPDATE runs SET artifact_uri = 'file://{secret}' WHERE name = 'child'; UPDATE runs SET artifact_uri = 'mlflow-artifacts:/../../../..{secret}' WHERE name = 'gone'; "
            + "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, experiment_id, source_type, artifact_uri) VALUES ('../../../evil', 'e', 'RUNNING', 1, 'active', 1, 'LOCAL', NULL), "
            + $"('77777777777777777777777777777777', 'l', 'DANCING', 1, 'active', 1, 'LOCAL', NULL), ('88888888888888888888888888888888', 'm', 'RUNNING', 1, 'active', 1, 'LOCAL', 'ROOT/mlruns/linked'), ('99999999999999999999999999999999', 's', 'RUNNING', 1, 'active', 1, 'LOCAL', 's3://bucket/x'); ".Replace("ROOT", root, StringComparison.Ordinal)
            + "ALTER TABLE runs ADD COLUMN mood TEXT; CREATE TABLE scorers (x TEXT); INSERT INTO scorers VALUES ('y');");
        await using var own = new Fresh();
        var told = new List<string>();
        var report = await ImportAsync(own.Host, database, null, told);
        Directory.Delete(secret, recursive: true);

        foreach (var expected in new[] { "run 77777777777777777777777777777777: status: it must be one of", "run ../../../evil: id:", "run/22222222222222222222222222222222: its files lie at", "link is a symbolic link", "linked is a symbolic link", "s3://bucket/x", "columns that are not known and do not come over: mood", "The table scorers has 1 rows" })
        {
            Assert.Contains(told, line => line.Contains(expected, StringComparison.Ordinal));
        }

        Assert.InRange(report.Problems, 6, 8);
        using var mlflow = await Mlflow.OwnerAsync(own.Host);
        foreach (var run in new[] { MlflowDatabase.Child, "88888888888888888888888888888888" })
        {
            Assert.False((await mlflow.GetAsync($"artifacts/list?run_id={run}")).TryGetProperty("files", out _));
        }

        var files = (await mlflow.GetAsync($"artifacts/list?run_id={MlflowDatabase.Parent}")).GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString());
        Assert.Equal(["model", "ä b.txt"], files);
    }

    [Fact]
    public void What_is_no_store_is_refused_with_the_reason()
    {
        var text = Path.Combine(root, "text.db");
        File.WriteAllText(text, "this is not a database, and long enough to be looked at as one: " + new string('x', 200));
        var other = Path.Combine(root, "other.db");
        MlflowDatabase.Execute(other, "CREATE TABLE t (x)");
        var report = new TransferReport(_ => { });
        foreach (var (source, reason) in new[] { (text, "cannot be read as a SQLite database"), (other, "no table experiments"), (Path.Combine(root, "none.db"), "There is no file"), (root, "no file store of MLflow"), ("s3://x", "a source is") })
        {
            Assert.Contains(reason, Assert.Throws<CliException>(() => Stores.OpenSource(source, [], new TransferFilter([]), report)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Some_experiments_come_over_alone_and_a_rehearsal_changes_nothing()
    {
        var database = MlflowDatabase.Make(root, "some", three: true);
        await using var own = new Fresh();
        using var mlflow = await Mlflow.OwnerAsync(own.Host);
        var rehearsed = await ImportAsync(own.Host, database, rehearsal: true);
        Assert.Equal((0, 3, 2), (rehearsed.Problems, rehearsed.Of("run").New, rehearsed.Of("experiment").New));
        Assert.False((await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { "0" }, run_view_type = "ALL" })).TryGetProperty("runs", out _));

        var report = await ImportAsync(own.Host, database, experiments: ["old some", "nowhere"]);
        Assert.Equal((1, 1, 0), (report.Problems, report.Of("run").New, report.Of("registered_model").Total));
        var gone = (await mlflow.RunDataAsync(MlflowDatabase.Deleted)).GetProperty("info");
        Assert.Equal(("deleted", "KILLED"), (gone.GetProperty("lifecycle_stage").GetString(), gone.GetProperty("status").GetString()));
    }

    internal static async Task<TransferReport> ImportAsync(
        ZaffreHost host, string source, Cut? handler = null, List<string>? told = null, bool rehearsal = false, IReadOnlyList<string>? experiments = null)
    {
        var report = new TransferReport(line => told?.Add(line));
        var token = await Tokens.OwnerAsync(host);
        using var http = handler is null ? host.With(token) : new HttpClient(handler, disposeHandler: false) { BaseAddress = new Uri("https://localhost:8443") };
        var link = new ServerLink(http, $"/zaffre/v1{Mlflow.Default(host).Id}", (_, _) => Task.FromResult<AuthenticationHeaderValue?>(new AuthenticationHeaderValue("Bearer", token)));
        await using var from = Stores.OpenSource(source, [], new TransferFilter(experiments ?? []), report);
        await using var to = new ZaffreTarget(link, report, rehearsal);
        await Transfer.RunAsync(from, to, report, TimeProvider.System, default);
        return report;
    }

    internal static async Task CheckRunsAsync(Mlflow mlflow, string suffix)
    {
        var images = (await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + Uri.EscapeDataString("images " + suffix))).GetProperty("experiment");
        Assert.Equal((2000, 3000, """[{"key":"empty","value":""},{"key":"team","value":"vision"}]"""), (images.GetProperty("creation_time").GetInt64(), images.GetProperty("last_update_time").GetInt64(), images.GetProperty("tags").GetRawText()));
        Assert.Equal("deleted", (await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + Uri.EscapeDataString("old " + suffix))).GetProperty("experiment").GetProperty("lifecycle_stage").GetString());

        var parent = await mlflow.RunDataAsync(MlflowDatabase.Parent);
        var info = parent.GetProperty("info");
        Assert.Equal(("parent", "ada", "FINISHED", 10000, 20000, images.GetProperty("experiment_id").GetString()), (Text(info, "run_name"), Text(info, "user_id"), Text(info, "status"), info.GetProperty("start_time").GetInt64(), info.GetProperty("end_time").GetInt64(), Text(info, "experiment_id")));
        Assert.Equal("""[{"key":"layers/first","value":"[1, 2]"},{"key":"lr","value":"0.1"}]""", parent.GetProperty("data").GetProperty("params").GetRawText());
        Assert.Contains("ü 'quoted'", parent.GetProperty("data").GetProperty("tags").GetRawText(), StringComparison.Ordinal);
        Assert.Equal(
            """[{"tags":[{"key":"mlflow.data.context","value":"train"}],"dataset":{"name":"digits","digest":"abc","source_type":"local","source":"{\"uri\": \"x\"}","schema":"{\"cols\": 1}"}}]""",
            parent.GetProperty("inputs").GetProperty("dataset_inputs").GetRawText());
        var history = (await mlflow.GetAsync($"metrics/get-history?run_id={MlflowDatabase.Parent}&metric_key=loss")).GetProperty("metrics").EnumerateArray();
        Assert.Equal(
            ["0.5@10001/1", "0.25@10002/2", "NaN@10003/3", "Infinity@10004/4", "-Infinity@10005/-5"],
            history.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.GetProperty("value")}@{point.GetProperty("timestamp")}/{point.GetProperty("step")}")));
        var children = (await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { Text(images, "experiment_id") }, filter = $"tags.`mlflow.parentRunId` = '{MlflowDatabase.Parent}'" })).GetProperty("runs");
        Assert.Equal(MlflowDatabase.Child, Text(children[0].GetProperty("info"), "run_id"));
        Assert.Equal("text", await FileAsync(mlflow, $"{Text(images, "experiment_id")}/{MlflowDatabase.Parent}/artifacts/ä b.txt"));
        Assert.Equal(300_000, (await FileAsync(mlflow, $"{Text(images, "experiment_id")}/{MlflowDatabase.Child}/artifacts/plots/one.png")).Length);
        Assert.Equal("", await FileAsync(mlflow, $"{Text(images, "experiment_id")}/{MlflowDatabase.Child}/artifacts/empty"));
    }

    internal static async Task CheckRegistryAsync(Mlflow mlflow, string suffix, bool three)
    {
        var model = (await mlflow.GetAsync("registered-models/get?name=net-" + suffix)).GetProperty("registered_model");
        Assert.Equal(("finds things", 30000, 31000, """[{"alias":"champion","version":"3"}]"""), (Text(model, "description"), model.GetProperty("creation_timestamp").GetInt64(), model.GetProperty("last_updated_timestamp").GetInt64(), model.GetProperty("aliases").GetRawText()));
        Assert.Equal($$"""[{"key":"owner","value":"ada"},{"key":"zaffre.import.name","value":"net {{suffix}}"}]""", model.GetProperty("tags").GetRawText());
        var versions = (await mlflow.GetAsync($"model-versions/search?filter=name%3D'net-{suffix}'")).GetProperty("model_versions").EnumerateArray().OrderBy(version => int.Parse(Text(version, "version"), CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(three ? ["1", "3", "5"] : ["1", "3"], versions.Select(version => Text(version, "version")));
        Assert.Equal(("Archived", $"runs:/{MlflowDatabase.Parent}/model", "first", "ada", "link", 32000, 33000), (Text(versions[0], "current_stage"), Text(versions[0], "source"), Text(versions[0], "description"), Text(versions[0], "user_id"), Text(versions[0], "run_link"), versions[0].GetProperty("creation_timestamp").GetInt64(), versions[0].GetProperty("last_updated_timestamp").GetInt64()));
        Assert.Equal("""[{"key":"tested","value":"yes"}]""", versions[1].GetProperty("tags").GetRawText());
        foreach (var place in new[] { $"net-{suffix}/3", $"foreign-{suffix}/1" })
        {
            Assert.Equal("flavors: {}\n", await FileAsync(mlflow, $"registry/{place}/MLmodel"));
        }

        var prompt = (await mlflow.GetAsync($"model-versions/get?name=ask-{suffix}&version=2")).GetProperty("model_version");
        Assert.Equal(("prompt-template", "say"), (Text(prompt, "source"), Text(prompt, "description")));
        Assert.Contains("Say {{x}}", prompt.GetProperty("tags").GetRawText(), StringComparison.Ordinal);
        if (three)
        {
            Assert.Equal("flavors: {}\n", await FileAsync(mlflow, $"registry/net-{suffix}/5/MLmodel"));
            var logged = (await mlflow.GetAsync("logged-models/" + MlflowDatabase.LoggedModel)).GetProperty("model");
            Assert.Equal(("net", "LOGGED_MODEL_READY", 50000, 51000, MlflowDatabase.Parent), (Text(logged.GetProperty("info"), "name"), Text(logged.GetProperty("info"), "status"), logged.GetProperty("info").GetProperty("creation_timestamp_ms").GetInt64(), logged.GetProperty("info").GetProperty("last_updated_timestamp_ms").GetInt64(), Text(logged.GetProperty("info"), "source_run_id")));
            Assert.Equal($$"""{"params":[{"key":"depth","value":"3"}],"metrics":[{"key":"auc","value":0.875,"timestamp":52000,"step":1,"dataset_name":"digits","dataset_digest":"abc","model_id":"{{MlflowDatabase.LoggedModel}}","run_id":"{{MlflowDatabase.Child}}"}]}""", logged.GetProperty("data").GetRawText());
            Assert.Equal($$"""[{"model_id":"{{MlflowDatabase.LoggedModel}}","step":7}]""", (await mlflow.RunDataAsync(MlflowDatabase.Parent)).GetProperty("outputs").GetProperty("model_outputs").GetRawText());
        }
    }

    internal static async Task CheckTraceAsync(Mlflow mlflow, string suffix, bool three)
    {
        var trace = (await mlflow.GetAsync("/api/3.0/mlflow/traces/get?trace_id=" + MlflowDatabase.Trace)).GetProperty("trace");
        var info = trace.GetProperty("trace_info");
        Assert.Equal(("1970-01-01T00:00:40.000Z", "1.500s", "OK", "ask"), (Text(info, "request_time"), Text(info, "execution_duration"), Text(info, "state"), Text(info.GetProperty("tags"), "mlflow.traceName")));
        var experiment = Text((await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + Uri.EscapeDataString("images " + suffix))).GetProperty("experiment"), "experiment_id");
        Assert.Equal("{}", await FileAsync(mlflow, $"{experiment}/traces/{MlflowDatabase.Trace}/artifacts/traces.json"));
        if (three)
        {
            Assert.Equal(("question", "c-1"), (Text(info, "request_preview"), Text(info, "client_request_id")));
            var assessments = info.GetProperty("assessments").EnumerateArray().ToList();
            Assert.Equal((0.5, "because", "1970-01-01T00:00:41.000Z", "1970-01-01T00:00:42.000Z"), (assessments[0].GetProperty("feedback").GetProperty("value").GetDouble(), Text(assessments[0], "rationale"), Text(assessments[0], "create_time"), Text(assessments[0], "last_update_time")));
            Assert.Equal("""{"a":[1]}""", Text(assessments[1].GetProperty("expectation").GetProperty("serialized_value"), "value"));
            var span = trace.GetProperty("spans")[0];
            Assert.Equal(("ask", 40_000_000_000), (Text(span, "name"), span.GetProperty("start_time_unix_nano").GetInt64()));
            Assert.Equal("""{"key":"mlflow.spanType","value":{"string_value":"\"LLM\""}}""", span.GetProperty("attributes")[1].GetRawText());
            Assert.Equal("""[{"key":"n","value":{"int_value":1}}]""", span.GetProperty("events")[0].GetProperty("attributes").GetRawText());
            Assert.Contains($"ask-{suffix}", Text(info.GetProperty("tags"), "mlflow.linkedPrompts"), StringComparison.Ordinal);
            var linked = await mlflow.PostAsync("/api/3.0/mlflow/traces/search", new { locations = new[] { new { type = "MLFLOW_EXPERIMENT", mlflow_experiment = new { experiment_id = experiment } } }, filter = $"run_id = '{MlflowDatabase.Child}'" });
            Assert.Equal(1, linked.GetProperty("traces").GetArrayLength());
        }
    }

    internal static async Task<HttpMessageHandler> HandlerAsync(ZaffreHost host)
    {
        var client = host.With(await Tokens.OwnerAsync(host));
        return new Through(client);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static async Task<string> FileAsync(Mlflow mlflow, string path)
    {
        using var answer = await mlflow.SendAsync("GET", "/api/2.0/mlflow-artifacts/artifacts/" + string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));
        Assert.True(answer.IsSuccessStatusCode, path);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>A server of the test's own: ids of runs are one workspace's.</summary>
    internal sealed class Fresh : IAsyncDisposable
    {
        private readonly Task<ZaffreHost> started = StartAsync();

        public ZaffreHost Host => started.Result;

        public async ValueTask DisposeAsync() => await (await started).DisposeAsync();

        private static async Task<ZaffreHost> StartAsync()
        {
            var host = new ZaffreHost();
            await host.InitializeAsync();
            return host;
        }
    }

    /// <summary>What the server sees of the last call of a command that is killed.</summary>
    internal enum Loss
    {
        /// <summary>Nothing.</summary>
        Call,

        /// <summary>All of it, and its answer is lost.</summary>
        Answer,

        /// <summary>Half of its body.</summary>
        Half,
    }

    /// <summary>Lets some calls through; then the command is killed.</summary>
    internal sealed class Cut(HttpMessageHandler inner, int calls, Loss loss) : DelegatingHandler(inner)
    {
        private int left = calls;

        public long Largest { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Largest = Math.Max(Largest, request.Content?.Headers.ContentLength ?? 0);
            var last = Interlocked.Decrement(ref left) < 0;
            if (last && loss == Loss.Call)
            {
                throw new OperationCanceledException("killed");
            }

            if (last && loss == Loss.Half && request.Content is { } content)
            {
                var bytes = await content.ReadAsByteArrayAsync(cancellationToken);
                request.Content = new ByteArrayContent(bytes[..(bytes.Length / 2)]);
                request.Content.Headers.ContentMD5 = content.Headers.ContentMD5;
            }

            var answer = await base.SendAsync(request, cancellationToken);
            return last ? throw new OperationCanceledException("killed") : answer;
        }
    }

    private sealed class Through(HttpClient client) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Content = request.Content };
            copy.Headers.Authorization = request.Headers.Authorization;
            return client.SendAsync(copy, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
    }
}
