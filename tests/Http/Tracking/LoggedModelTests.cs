using System.Net;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

public sealed class LoggedModelTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Proxy = "/api/2.0/mlflow-artifacts/artifacts/";

    [Fact]
    public async Task A_model_is_logged_as_MLflow_3_does_it_and_has_every_field()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var run = await mlflow.RunAsync(experiment);
        var made = (await mlflow.PostAsync("logged-models", new
        {
            experiment_id = experiment,
            name = "clf",
            model_type = "sklearn",
            source_run_id = run,
            @params = new[] { new { key = "C", value = "1" } },
            tags = new[] { new { key = "t", value = "v" } },
        })).GetProperty("model");
        var info = made.GetProperty("info");
        Assert.Equal(
            ["artifact_uri", "creation_timestamp_ms", "experiment_id", "last_updated_timestamp_ms", "model_id", "model_type", "name", "source_run_id", "status", "tags"],
            info.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        var id = Text(info, "model_id")!;
        Assert.Matches("^m-[0-9a-f]{32}$", id);
        Assert.Equal(("LOGGED_MODEL_PENDING", $"mlflow-artifacts:/{experiment}/models/{id}/artifacts"), (Text(info, "status"), Text(info, "artifact_uri")));
        Assert.Equal("""{"params":[{"key":"C","value":"1"}]}""", made.GetProperty("data").GetRawText());

        await mlflow.PostAsync("runs/outputs", new { run_id = run, models = new[] { new { model_id = id, step = 0 } } });
        var point = new { key = "acc", value = 0.5, timestamp = 7, step = 1, model_id = id, dataset_name = "iris", dataset_digest = "d", run_id = run };
        for (var i = 0; i < 2; i++)
        {
            await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = new[] { point } });
        }

        await mlflow.PostAsync("runs/log-metric", new { run_id = run, key = "loss", value = "NaN", timestamp = 1, model_id = id });
        using (var put = await mlflow.SendAsync("PUT", $"{Proxy}{experiment}/models/{id}/artifacts/MLmodel", new StringContent("flavors: ", Encoding.UTF8, "text/plain")))
        {
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        }

        var ready = (await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", "logged-models/" + id, new { status = "LOGGED_MODEL_READY" })).GetProperty("model");
        Assert.Equal("LOGGED_MODEL_READY", Text(ready.GetProperty("info"), "status"));
        Assert.Equal(
            $$"""[{"key":"acc","value":0.5,"timestamp":7,"step":1,"dataset_name":"iris","dataset_digest":"d","model_id":"{{id}}","run_id":"{{run}}"},{"key":"loss","value":"NaN","timestamp":1,"step":0,"model_id":"{{id}}","run_id":"{{run}}"}]""",
            ready.GetProperty("data").GetProperty("metrics").GetRawText());
        Assert.Equal("""[{"path":"MLmodel","is_dir":false,"file_size":9}]""", (await mlflow.GetAsync($"logged-models/{id}/artifacts/directories")).GetProperty("files").GetRawText());
        using (var file = await mlflow.SendAsync("GET", $"/ajax-api/2.0/mlflow/logged-models/{id}/artifacts/files?artifact_file_path=MLmodel"))
        {
            Assert.Equal("flavors: ", await file.Content.ReadAsStringAsync());
        }

        await mlflow.PostAsync("registered-models/create", new { name = "logged" });
        var version = (await mlflow.PostAsync("model-versions/create", new { name = "logged", source = "models:/" + id, run_id = run, model_id = id })).GetProperty("model_version");
        Assert.Equal((id, "models:/" + id), (Text(version, "model_id"), Text(version, "source")));
        using (var file = await mlflow.SendAsync("GET", $"{Proxy}registry/logged/1/MLmodel"))
        {
            Assert.Equal("flavors: ", await file.Content.ReadAsStringAsync());
        }

        var shown = (await mlflow.GetAsync("logged-models/" + id)).GetProperty("model");
        Assert.Equal("""[{"name":"logged","version":"1"}]""", shown.GetProperty("info").GetProperty("registrations").GetRawText());
        Assert.Contains(id, (await mlflow.RunDataAsync(run)).GetProperty("outputs").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tags_and_params_change_and_a_deleted_model_is_gone()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var id = await LogAsync(mlflow, "0", "tagged");
        var model = (await mlflow.ExpectAsync(HttpStatusCode.OK, "PATCH", $"logged-models/{id}/tags", new { tags = new[] { new { key = "a", value = "1" }, new { key = "b", value = "2" } } })).GetProperty("model");
        Assert.Equal("""[{"key":"a","value":"1"},{"key":"b","value":"2"}]""", model.GetProperty("info").GetProperty("tags").GetRawText());
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", $"logged-models/{id}/tags/a", null);
        await mlflow.FailsAsync($"logged-models/{id}/tags/a", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No tag with key 'a' found", "DELETE");
        await mlflow.PostAsync($"logged-models/{id}/params", new { @params = new[] { new { key = "p", value = "1" } } });
        Assert.Equal("""{"params":[{"key":"p","value":"1"}]}""", (await mlflow.GetAsync("logged-models/" + id)).GetProperty("model").GetProperty("data").GetRawText());
        await mlflow.ExpectAsync(HttpStatusCode.OK, "DELETE", "logged-models/" + id, null);
        await mlflow.FailsAsync("logged-models/" + id, null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", $"Logged model with ID '{id}' not found.", "GET");
        await mlflow.FailsAsync($"{Proxy}0/models/{id}/artifacts/x", "{}", HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Logged model with ID", "PUT");
    }

    [Fact]
    public async Task Searches_filter_and_order_by_metrics_of_datasets()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var run = await mlflow.RunAsync(experiment);
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await LogAsync(mlflow, experiment, "m" + i, run));
            await mlflow.PostAsync("runs/log-batch", new
            {
                run_id = run,
                metrics = i == 3 ? [] : new object[]
                {
                    new { key = "acc", value = i, timestamp = 1, model_id = ids[i], dataset_name = "a", dataset_digest = "1" },
                    new { key = "acc", value = 10 - i, timestamp = 2, model_id = ids[i], dataset_name = "b", dataset_digest = "2" },
                },
            });
        }

        async Task<string> FindAsync(object body)
        {
            var found = await mlflow.PostAsync("logged-models/search", body);
            return found.TryGetProperty("models", out var list) ? string.Join(' ', list.EnumerateArray().Select(model => Text(model.GetProperty("info"), "name"))) : "";
        }

        var experiment_ids = new[] { experiment };
        Assert.Equal("m3 m2 m1 m0", await FindAsync(new { experiment_ids, order_by = new[] { new { field_name = "name", ascending = false } } }));
        Assert.Equal("m0 m1 m2 m3", await FindAsync(new { experiment_ids, order_by = new object[] { new { field_name = "metrics.acc", dataset_name = "a" }, new { field_name = "name" } } }));
        Assert.Equal("m2 m1 m0 m3", await FindAsync(new { experiment_ids, order_by = new[] { new { field_name = "metrics.acc", ascending = true, dataset_name = "b", dataset_digest = "2" } } }));
        Assert.Equal("m0", await FindAsync(new { experiment_ids, filter = "metrics.acc >= 10 AND status = 'PENDING'" }));
        Assert.Equal("m2", await FindAsync(new { experiment_ids, filter = "metrics.acc = 2", datasets = new[] { new { dataset_name = "a" } } }));
        Assert.Equal("", await FindAsync(new { experiment_ids, filter = "metrics.acc = 2", datasets = new[] { new { dataset_name = "b" } } }));
        Assert.Equal("m0 m1 m2", await FindAsync(new { experiment_ids, datasets = new[] { new { dataset_name = "a", dataset_digest = "1" } }, order_by = new[] { new { field_name = "name" } } }));
        Assert.Equal("m1 m3", await FindAsync(new { experiment_ids, filter = "name IN ('m1', 'm3') AND source_run_id = '" + run + "'", order_by = new[] { new { field_name = "name" } } }));
        Assert.Equal("", await FindAsync(new { filter = "" }));
        var page = await mlflow.PostAsync("logged-models/search", new { experiment_ids, max_results = 3, order_by = new[] { new { field_name = "name" } } });
        Assert.Equal("m3", await FindAsync(new { experiment_ids, max_results = 3, order_by = new[] { new { field_name = "name" } }, page_token = Text(page, "next_page_token") }));
        await mlflow.FailsAsync("logged-models/search", new { experiment_ids, filter = "colour = 'x'" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid attribute key 'colour' specified.");
        await mlflow.FailsAsync("logged-models/search", new { experiment_ids, order_by = new[] { new { field_name = "colour" } } }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid attribute key 'colour' specified.");
    }

    [Fact]
    public async Task Bad_models_are_refused_with_MLflows_codes()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await mlflow.FailsAsync("logged-models", new { experiment_id = "0", name = "a/b" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid model name ('a/b') provided.");
        await mlflow.FailsAsync("logged-models", new { experiment_id = "77777" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77777 exists");
        await mlflow.FailsAsync("logged-models", new { experiment_id = "0", source_run_id = "nobody" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Run with id=nobody not found");
        await mlflow.FailsAsync("runs/log-metric", new { run_id = await mlflow.RunAsync(), key = "m", value = 1, timestamp = 1, model_id = "m-0" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Logged model with ID 'm-0' not found.");
        var id = await LogAsync(mlflow, "0", "bad");
        await mlflow.FailsAsync("logged-models/" + id, new { status = "DONE" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid model status: DONE.", "PATCH");
        await mlflow.FailsAsync($"logged-models/{id}/artifacts/directories?artifact_directory_path=../x", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path", "GET");
    }

    [Fact]
    public async Task A_job_logs_models_of_its_own_run_only()
    {
        using var owner = await Mlflow.OwnerAsync(host);
        using var job = await Mlflow.JobAsync(host, "modeller");
        var experiment = Text((await job.RunDataAsync("modeller")).GetProperty("info"), "experiment_id")!;
        var own = (await job.PostAsync("logged-models", new { experiment_id = experiment })).GetProperty("model").GetProperty("info");
        Assert.Equal("modeller", Text(own, "source_run_id"));
        await job.ExpectAsync(HttpStatusCode.OK, "PUT", $"{Proxy}{experiment}/models/{Text(own, "model_id")}/artifacts/x", "{}");
        var foreign = await LogAsync(owner, "0", "foreign");
        Task Denied(string method, string path, object? body) => job.FailsAsync(path, body, HttpStatusCode.Forbidden, "PERMISSION_DENIED", "The token of job 'modeller' may", method);
        await Denied("PATCH", "logged-models/" + foreign, new { status = "LOGGED_MODEL_READY" });
        await Denied("PUT", $"{Proxy}0/models/{foreign}/artifacts/x", "{}");
        await Denied("DELETE", "logged-models/" + foreign, null);
        await Denied("POST", "logged-models", new { experiment_id = "0", source_run_id = await owner.RunAsync() });
    }

    [Fact]
    public async Task Azures_mount_answers_with_an_address_that_MLflow_itself_reads()
    {
        using var azure = await Mlflow.OwnerAsync(host, "/mlflow/v2.0" + Mlflow.Default(host).Id);
        var info = (await azure.PostAsync("logged-models", new { experiment_id = "0", name = "azure" })).GetProperty("model").GetProperty("info");
        Assert.Equal($"https://localhost:8443/zaffre/v1{Mlflow.Default(host).Id}{Proxy}0/models/{Text(info, "model_id")}/artifacts", Text(info, "artifact_uri"));
    }

    private static async Task<string> LogAsync(Mlflow mlflow, string experiment, string name, string? run = null) =>
        Text((await mlflow.PostAsync("logged-models", new { experiment_id = experiment, name, source_run_id = run })).GetProperty("model").GetProperty("info"), "model_id")!;

    private static string? Text(JsonElement message, string member) => message.GetProperty(member).GetString();
}
