using System.Net.Http.Headers;
using System.Text.Json;
using Zaffre.Cli.Mlflow;
using Zaffre.Tests.Http.Identity;

namespace Zaffre.Tests.Http.Tracking.Import;

public sealed class ExportTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("zaffre-export-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task A_workspace_goes_into_a_database_of_MLflow_and_comes_back_equal()
    {
        await using var first = new ImportStoreTests.Fresh();
        Assert.Equal(0, (await ImportStoreTests.ImportAsync(first.Host, MlflowDatabase.Make(root, "round", three: true))).Problems);
        var out1 = Path.Combine(root, "out");
        for (var i = 0; i < 2; i++)
        {
            var report = new TransferReport(_ => { });
            await using var source = new RestSource(await LinkAsync(first.Host), new TransferFilter([]));
            await using var target = SqliteTarget.Open(Path.Combine(out1, "mlflow.db"), report);
            await Transfer.RunAsync(source, target, report, TimeProvider.System, default);
            Assert.Equal((0, i == 0 ? 3 : 0, i == 0 ? 7 : 0), (report.Problems, report.Of("run").New, report.Of("model_version").New + report.Of("trace").New + report.Of("logged_model").New));
            Assert.Equal(i == 0, report.Of("file").New > 0);
        }

        await using var second = new ImportStoreTests.Fresh();
        var told = new List<string>();
        var back = await ImportStoreTests.ImportAsync(second.Host, Path.Combine(out1, "mlflow.db"), told: told);
        Assert.True(back.Problems == 0, string.Join('\n', told));
        using var mlflow = await Mlflow.OwnerAsync(second.Host);
        await ImportStoreTests.CheckRunsAsync(mlflow, "round");
        await ImportStoreTests.CheckRegistryAsync(mlflow, "round", three: true);
        await ImportStoreTests.CheckTraceAsync(mlflow, "round", three: true);
    }

    [Fact]
    public async Task Another_server_comes_over_by_its_API_alone()
    {
        await using var first = new ImportStoreTests.Fresh();
        var database = MlflowDatabase.Make(root, "served", three: true);
        MlflowDatabase.AddPoints(database, MlflowDatabase.Child, 30_000);
        await ImportStoreTests.ImportAsync(first.Host, database);
        await using var second = new ImportStoreTests.Fresh();
        for (var i = 0; i < 2; i++)
        {
            var report = new TransferReport(_ => { });
            await using var source = new RestSource(await LinkAsync(first.Host), new TransferFilter([]));
            await using var target = new ZaffreTarget(await LinkAsync(second.Host), report);
            await Transfer.RunAsync(source, target, report, TimeProvider.System, default);
            Assert.Equal((0, i == 0 ? 3 : 0, i == 0), (report.Problems, report.Of("run").New, report.Of("file").New > 0));
        }

        using var mlflow = await Mlflow.OwnerAsync(second.Host);
        await ImportStoreTests.CheckRunsAsync(mlflow, "served");
        await ImportStoreTests.CheckRegistryAsync(mlflow, "served", three: true);
        await ImportStoreTests.CheckTraceAsync(mlflow, "served", three: true);
        Assert.Equal(30_000, (await mlflow.GetAsync($"metrics/get-history?run_id={MlflowDatabase.Child}&metric_key=long")).GetProperty("metrics").GetArrayLength());
    }

    [Fact]
    public async Task A_tracking_server_gets_a_workspace_once_however_often_it_is_sent()
    {
        await using var first = new ImportStoreTests.Fresh();
        await ImportStoreTests.ImportAsync(first.Host, MlflowDatabase.Make(root, "sent", three: true));
        await using var second = new ImportStoreTests.Fresh();
        var told = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var report = new TransferReport(told.Add);
            await using var source = new RestSource(await LinkAsync(first.Host), new TransferFilter([]));
            await using var target = await RestTarget.OpenAsync(await LinkAsync(second.Host), "https://first", report, default);
            await Transfer.RunAsync(source, target, report, TimeProvider.System, default);

            // The one version whose files are no run's has no place there.
            Assert.Equal((1, i == 0 ? 3 : 0), (report.Problems, report.Of("run").New));
            Assert.Contains(told, line => line.Contains("model_version foreign-sent/1: its files are of no run", StringComparison.Ordinal));
        }

        using var mlflow = await Mlflow.OwnerAsync(second.Host);
        var experiment = Text((await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + Uri.EscapeDataString("images sent"))).GetProperty("experiment"), "experiment_id");
        var runs = (await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment }, order_by = new[] { "start_time" } })).GetProperty("runs");
        Assert.Equal(2, runs.GetArrayLength());
        var (parent, child) = (runs[0], runs[1]);
        var id = Text(parent.GetProperty("info"), "run_id");
        Assert.NotEqual(MlflowDatabase.Parent, id);
        Assert.Equal(("parent", "FINISHED", 10000, 20000), (Text(parent.GetProperty("info"), "run_name"), Text(parent.GetProperty("info"), "status"), parent.GetProperty("info").GetProperty("start_time").GetInt64(), parent.GetProperty("info").GetProperty("end_time").GetInt64()));
        Assert.Equal("https://first/runs/" + MlflowDatabase.Parent, Tag(parent, "zaffre.origin"));
        Assert.Equal(id, Tag(child, "mlflow.parentRunId"));
        Assert.Equal(5, (await mlflow.GetAsync($"metrics/get-history?run_id={id}&metric_key=loss")).GetProperty("metrics").GetArrayLength());
        Assert.Equal(1, parent.GetProperty("inputs").GetProperty("dataset_inputs").GetArrayLength());
        Assert.Equal(["model", "ä b.txt"], (await mlflow.GetAsync($"artifacts/list?run_id={id}")).GetProperty("files").EnumerateArray().Select(file => Text(file, "path")));
        Assert.Equal("deleted", Text((await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + Uri.EscapeDataString("old sent"))).GetProperty("experiment"), "lifecycle_stage"));

        var versions = (await mlflow.GetAsync("model-versions/search?filter=name%3D'net-sent'")).GetProperty("model_versions");
        Assert.Equal(3, versions.GetArrayLength());
        Assert.Equal("2", Text((await mlflow.GetAsync("registered-models/alias?name=net-sent&alias=champion")).GetProperty("model_version"), "version"));
        var model = parent.GetProperty("outputs").GetProperty("model_outputs")[0].GetProperty("model_id").GetString();
        Assert.Equal("LOGGED_MODEL_READY", Text((await mlflow.GetAsync("logged-models/" + model)).GetProperty("model").GetProperty("info"), "status"));
        var trace = (await mlflow.GetAsync("/api/3.0/mlflow/traces/get?trace_id=" + MlflowDatabase.Trace)).GetProperty("trace").GetProperty("trace_info");
        Assert.Equal((2, id), (trace.GetProperty("assessments").GetArrayLength(), Text(trace.GetProperty("trace_metadata"), "mlflow.sourceRun")));
        using var spans = await mlflow.SendAsync("GET", $"/api/2.0/mlflow-artifacts/artifacts/{experiment}/traces/{MlflowDatabase.Trace}/artifacts/traces.json");
        Assert.Contains("mlflow.spanType", await spans.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<ServerLink> LinkAsync(ZaffreHost host)
    {
        var token = await Tokens.OwnerAsync(host);
        return new ServerLink(host.With(token), $"/zaffre/v1{Mlflow.Default(host).Id}", (_, _) => Task.FromResult<AuthenticationHeaderValue?>(new AuthenticationHeaderValue("Bearer", token)));
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string? Tag(JsonElement run, string key) => run.GetProperty("data").GetProperty("tags").EnumerateArray().Where(tag => Text(tag, "key") == key).Select(tag => Text(tag, "value")).SingleOrDefault();
}
