using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking.Import;

public sealed class ImportFileStoreTests : IDisposable
{
    private const string Run = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string Model = "m-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    private readonly string root = Directory.CreateTempSubdirectory("zaffre-mlruns-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task A_folder_of_runs_comes_over_with_everything_in_it()
    {
        MakeStore();
        await using var own = new ImportStoreTests.Fresh();
        var told = new List<string>();
        var report = await ImportStoreTests.ImportAsync(own.Host, root, told: told);
        Assert.Equal(1, report.Problems);
        Assert.Contains(told, line => line.Contains("the line 'broken' is no point", StringComparison.Ordinal));

        using var mlflow = await Mlflow.OwnerAsync(own.Host);
        var experiment = (await mlflow.GetAsync("experiments/get-by-name?experiment_name=" + Uri.EscapeDataString("with: colon"))).GetProperty("experiment");
        Assert.Equal((2000, "vision"), (experiment.GetProperty("creation_time").GetInt64(), Text(experiment.GetProperty("tags")[0], "value")));
        Assert.Equal("deleted", Text((await mlflow.GetAsync("experiments/get-by-name?experiment_name=thrown%20away")).GetProperty("experiment"), "lifecycle_stage"));
        var run = await mlflow.RunDataAsync(Run);
        Assert.Equal(("quiet-hawk", "FINISHED", "ada", 10000, 20000), (Text(run.GetProperty("info"), "run_name"), Text(run.GetProperty("info"), "status"), Text(run.GetProperty("info"), "user_id"), run.GetProperty("info").GetProperty("start_time").GetInt64(), run.GetProperty("info").GetProperty("end_time").GetInt64()));
        Assert.Equal("""[{"key":"model/depth","value":"3"}]""", run.GetProperty("data").GetProperty("params").GetRawText());
        Assert.Equal("digits", Text(run.GetProperty("inputs").GetProperty("dataset_inputs")[0].GetProperty("dataset"), "name"));
        Assert.Equal(Model, Text(run.GetProperty("outputs").GetProperty("model_outputs")[0], "model_id"));
        var history = (await mlflow.GetAsync($"metrics/get-history?run_id={Run}&metric_key=train/loss")).GetProperty("metrics").EnumerateArray().Select(point => point.GetProperty("value").ToString());
        Assert.Equal(["0.5", "NaN", "Infinity", "-Infinity"], history);
        var logged = (await mlflow.GetAsync("logged-models/" + Model)).GetProperty("model");
        Assert.Equal(("LOGGED_MODEL_READY", 0.75), (Text(logged.GetProperty("info"), "status"), logged.GetProperty("data").GetProperty("metrics")[0].GetProperty("value").GetDouble()));
        var version = (await mlflow.GetAsync("registered-models/alias?name=net&alias=champion")).GetProperty("model_version");
        Assert.Equal(("2", "Staging", $"runs:/{Run}/model", "two"), (Text(version, "version"), Text(version, "current_stage"), Text(version, "source"), Text(version, "description")));
        foreach (var place in new[] { "registry/net/2/MLmodel", $"{Text(experiment, "experiment_id")}/models/{Model}/artifacts/MLmodel" })
        {
            using var file = await mlflow.SendAsync("GET", "/api/2.0/mlflow-artifacts/artifacts/" + place);
            Assert.Equal("flavors: {}\n", await file.Content.ReadAsStringAsync());
        }

        var trace = (await mlflow.GetAsync("/api/3.0/mlflow/traces/get?trace_id=tr-1")).GetProperty("trace").GetProperty("trace_info");
        Assert.Equal(("OK", "1.500s", Run), (Text(trace, "state"), Text(trace, "execution_duration"), Text(trace.GetProperty("trace_metadata"), "mlflow.sourceRun")));
        var again = await ImportStoreTests.ImportAsync(own.Host, root);
        Assert.Equal((0, 0, 0), (again.Of("run").New, again.Of("model_version").New, again.Of("file").New));
    }

    private void MakeStore()
    {
        Write("0/meta.yaml", "artifact_location: file:///gone/mlruns/0\ncreation_time: 1000\nexperiment_id: '0'\nlast_update_time: 1000\nlifecycle_stage: active\nname: Default\n");
        Write("7/meta.yaml", "artifact_location: file:///gone/mlruns/7\ncreation_time: 2000\nexperiment_id: '7'\nlast_update_time: 3000\nlifecycle_stage: active\nname: \"with: colon\"\n");
        Write("7/tags/team", "vision");
        Write(".trash/8/meta.yaml", "creation_time: 1\nexperiment_id: '8'\nlast_update_time: 2\nlifecycle_stage: deleted\nname: thrown away\n");
        Write($"7/{Run}/meta.yaml", $"artifact_uri: file:///gone/mlruns/7/{Run}/artifacts\nend_time: 20000\nentry_point_name: ''\nexperiment_id: '7'\nlifecycle_stage: active\nrun_id: {Run}\nrun_name: quiet-hawk\nrun_uuid: {Run}\nsource_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: 10000\nstatus: 3\ntags: []\nuser_id: ada\n");
        Write($"7/{Run}/tags/mlflow.runName", "quiet-hawk");
        Write($"7/{Run}/params/model/depth", "3");
        Write($"7/{Run}/metrics/train/loss", "10001 0.5 1\n10002 nan 2\n10003 inf 3\n10004 -inf 4\nbroken\n");
        Write($"7/{Run}/artifacts/model/MLmodel", "flavors: {}\n");
        Write($"7/{Run}/inputs/i1/meta.yaml", "destination_id: x\ndestination_type: RUN\nsource_id: d1\nsource_type: DATASET\ntags:\n  mlflow.data.context: train\n");
        Write($"7/{Run}/outputs/o1/meta.yaml", $"destination_id: {Model}\ndestination_type: MODEL_OUTPUT\nsource_id: {Run}\nsource_type: RUN_OUTPUT\nstep: 4\n");
        Write("7/datasets/d1/meta.yaml", "digest: abc\nname: digits\nprofile: null\nschema: '{\"a\": 1}'\nsource: s\nsource_type: local\n");
        Write($"7/models/{Model}/meta.yaml", $"artifact_location: file:///gone/mlruns/7/models/{Model}/artifacts\ncreation_timestamp: 5\nexperiment_id: '7'\nlast_updated_timestamp: 6\nlifecycle_stage: active\nmodel_id: {Model}\nmodel_type: sklearn\nname: net\nsource_run_id: {Run}\nstatus: 2\n");
        Write($"7/models/{Model}/params/p", "q");
        Write($"7/models/{Model}/metrics/acc", $"10 0.75 2 {Run} digits abc\n");
        Write($"7/models/{Model}/artifacts/MLmodel", "flavors: {}\n");
        Write("7/traces/tr-1/trace_info.yaml", "execution_time_ms: 1500\nexperiment_id: '7'\nrequest_id: tr-1\nstatus: OK\ntimestamp_ms: 40000\n");
        Write("7/traces/tr-1/request_metadata/mlflow.sourceRun", Run);
        Write("7/traces/tr-1/tags/mlflow.traceName", "ask");
        Write("7/traces/tr-1/artifacts/traces.json", "{\"spans\": []}");
        Write("models/net/meta.yaml", "creation_timestamp: 30\ndescription: finds\nlast_updated_timestamp: 31\nname: net\n");
        Write("models/net/tags/owner", "ada");
        Write("models/net/aliases/champion", "2");
        Write("models/net/version-2/meta.yaml", $"creation_timestamp: 32\ncurrent_stage: Staging\ndescription: two\nlast_updated_timestamp: 33\nname: net\nrun_id: {Run}\nrun_link: ''\nsource: file:///gone/mlruns/7/{Run}/artifacts/model\nstatus: READY\nstatus_message: null\nstorage_location: null\nuser_id: ada\nversion: 2\n");
        Write("models/net/version-2/tags/t", "v");
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private void Write(string path, string text)
    {
        var full = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
