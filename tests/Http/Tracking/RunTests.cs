using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Tracking;

public sealed class RunTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task A_new_run_has_every_field_of_the_reference()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var run = (await mlflow.PostAsync("runs/create", new { experiment_id = experiment, user_id = "me", run_name = "first", start_time = "1700000000000", tags = new[] { new { key = "t", value = "1" } } })).GetProperty("run");
        var info = run.GetProperty("info");
        Assert.Equal(
            ["artifact_uri", "experiment_id", "lifecycle_stage", "run_id", "run_name", "run_uuid", "start_time", "status", "user_id"],
            info.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        var id = info.GetProperty("run_id").GetString();
        Assert.Equal(id, info.GetProperty("run_uuid").GetString());
        Assert.Equal($"mlflow-artifacts:/{experiment}/{id}/artifacts", info.GetProperty("artifact_uri").GetString());
        Assert.Equal(("RUNNING", "first", "me", 1700000000000), (info.GetProperty("status").GetString(), info.GetProperty("run_name").GetString(), info.GetProperty("user_id").GetString(), info.GetProperty("start_time").GetInt64()));
        Assert.Equal("""{"tags":[{"key":"mlflow.runName","value":"first"},{"key":"t","value":"1"}]}""", run.GetProperty("data").GetRawText());
        Assert.Equal("{}", run.GetProperty("inputs").GetRawText());
        Assert.Equal(run.GetRawText(), (await mlflow.RunDataAsync(id!)).GetRawText());
    }

    [Fact]
    public async Task A_run_ends_is_renamed_deleted_and_restored()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var info = (await mlflow.PostAsync("runs/update", new { run_uuid = run, status = "FINISHED", end_time = 1800000000000, run_name = "renamed" })).GetProperty("run_info");
        Assert.Equal(("FINISHED", 1800000000000, "renamed"), (info.GetProperty("status").GetString(), info.GetProperty("end_time").GetInt64(), info.GetProperty("run_name").GetString()));
        Assert.Contains(Pairs(await mlflow.RunDataAsync(run), "tags"), tag => tag == ("mlflow.runName", "renamed"));
        await mlflow.PostAsync("runs/set-tag", new { run_id = run, key = "mlflow.runName", value = "again" });
        Assert.Equal("again", (await mlflow.RunDataAsync(run)).GetProperty("info").GetProperty("run_name").GetString());
        await mlflow.PostAsync("runs/delete", new { run_id = run });
        await mlflow.FailsAsync("runs/log-metric", new { run_id = run, key = "m", value = 1, timestamp = 1 }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", $"The run {run} must be in the 'active' state. Current state is deleted.");
        await mlflow.PostAsync("runs/restore", new { run_id = run });
        var reopened = (await mlflow.PostAsync("runs/update", new { run_id = run, status = "RUNNING" })).GetProperty("run_info");
        Assert.False(reopened.TryGetProperty("end_time", out _));
    }

    [Fact]
    public async Task Metrics_keep_every_point_and_show_the_latest_NaN_and_infinities_included()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.PostAsync("runs/log-metric", new { run_id = run, key = "m", value = 0.1, timestamp = 5, step = 2 });
        await mlflow.PostAsync("runs/log-metric", new { run_id = run, key = "m", value = "NaN", timestamp = "7", step = "1" });
        await mlflow.PostAsync("runs/log-metric", new { run_id = run, key = "m", value = "NaN", timestamp = 7, step = 1 });
        await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = new object[] { new { key = "m", value = "-Infinity", timestamp = 6 }, new { key = "big", value = 1e308, timestamp = 1, step = -3 } } });
        var metrics = (await mlflow.RunDataAsync(run)).GetProperty("data").GetProperty("metrics").GetRawText();
        Assert.Equal("""[{"key":"big","value":1E+308,"timestamp":1,"step":-3},{"key":"m","value":0.1,"timestamp":5,"step":2}]""", metrics);
        var history = await mlflow.GetAsync($"metrics/get-history?run_id={run}&metric_key=m");
        Assert.Equal(
            """{"metrics":[{"key":"m","value":0.1,"timestamp":5,"step":2},{"key":"m","value":"-Infinity","timestamp":6,"step":0},{"key":"m","value":"NaN","timestamp":7,"step":1}]}""",
            history.GetRawText());
        Assert.Equal("{}", (await mlflow.GetAsync($"metrics/get-history?run_id={run}&metric_key=none")).GetRawText());
    }

    [Fact]
    public async Task A_history_is_paged_by_tokens()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = Enumerable.Range(0, 25).Select(i => new { key = "m", value = i, timestamp = i, step = i }) });
        var steps = new List<long>();
        var token = "";
        do
        {
            var page = await mlflow.GetAsync($"metrics/get-history?run_id={run}&metric_key=m&max_results=10&page_token={token}");
            steps.AddRange(page.GetProperty("metrics").EnumerateArray().Select(m => m.GetProperty("step").GetInt64()));
            token = page.TryGetProperty("next_page_token", out var next) ? next.GetString() : null;
        }
        while (token is not null);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => (long)i), steps);
    }

    [Fact]
    public async Task A_param_keeps_its_value_and_a_batch_that_would_change_one_writes_nothing()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.PostAsync("runs/log-parameter", new { run_id = run, key = "a", value = "1" });
        await mlflow.PostAsync("runs/log-param", new { run_id = run, key = "a", value = 1 });
        var change = $"Changing param values is not allowed. Param with key='a' was already logged with value='1' for run ID='{run}'. Attempted logging new value '2'.";
        await mlflow.FailsAsync("runs/log-parameter", new { run_id = run, key = "a", value = "2" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", change);
        await mlflow.FailsAsync(
            "runs/log-batch",
            new { run_id = run, @params = new[] { new { key = "b", value = "1" }, new { key = "a", value = "2" } }, tags = new[] { new { key = "t", value = "1" } }, metrics = new[] { new { key = "m", value = 1, timestamp = 1 } } },
            HttpStatusCode.BadRequest,
            "INVALID_PARAMETER_VALUE",
            change);
        var data = (await mlflow.RunDataAsync(run)).GetProperty("data");
        Assert.Equal("""[{"key":"a","value":"1"}]""", data.GetProperty("params").GetRawText());
        Assert.False(data.TryGetProperty("metrics", out _));
        Assert.DoesNotContain("\"t\"", data.GetProperty("tags").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_are_MLflows()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        Task Bad(string path, object body, string message) => mlflow.FailsAsync(path, body, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message);
        await Bad("runs/log-metric", new { run_id = run, key = new string('k', 251), value = 1, timestamp = 1 }, "had length 251, which exceeded length limit of 250");
        await Bad("runs/log-parameter", new { run_id = run, key = "../up", value = "1" }, "Invalid parameter name: '../up'");
        await Bad("runs/set-tag", new { run_id = run, key = "a\u0000b", value = "1" }, "Names may only contain");
        await Bad("runs/log-metric", new { run_id = run, key = "m", value = "many", timestamp = 1 }, "Invalid value 'many' for parameter 'value' supplied");
        await Bad("runs/log-metric", new { run_id = run, key = "m", value = 1 }, "Missing value for required parameter 'timestamp'.");
        await Bad("runs/log-metric", new { run_id = run, key = "m", value = 1, timestamp = 1, step = 1.5 }, "Invalid value '1.5' for parameter 'step' supplied");
        await Bad("runs/log-metric", new { key = "m", value = 1, timestamp = 1 }, "Missing value for required parameter 'run_id'.");
        await Bad("runs/log-batch", new { run_id = run, metrics = Enumerable.Range(0, 1001).Select(i => new { key = "m", value = i, timestamp = i }) }, "at most 1000 metrics. Got 1001 metrics.");
        await Bad("runs/log-batch", new { run_id = run, @params = Enumerable.Range(0, 101).Select(i => new { key = "p" + i, value = "" }) }, "at most 100 params. Got 101 params.");
        await Bad("runs/log-batch", new { run_id = run, tags = Enumerable.Range(0, 101).Select(i => new { key = "p" + i, value = "" }) }, "at most 100 tags. Got 101 tags.");
        await Bad("runs/log-batch", new { run_id = run, @params = Enumerable.Range(0, 100).Select(i => new { key = "p" + i, value = new string('x', 11_000) }) }, "must be at most 1000000 bytes");
        await Bad("runs/create", new { run_name = "a", tags = new[] { new { key = "mlflow.runName", value = "b" } } }, "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values");
        await Bad("runs/create", new { start_time = long.MaxValue }, "for parameter 'start_time' supplied");
        await Bad("runs/update", new { run_id = run, status = "DONE" }, "Invalid value 'DONE' for parameter 'status' supplied");

        await mlflow.PostAsync("runs/log-parameter", new { run_id = run, key = "long", value = new string('x', 7000) });
        await mlflow.PostAsync("runs/set-tag", new { run_id = run, key = "long", value = new string('x', 9000) });
        var kept = await mlflow.RunDataAsync(run);
        Assert.Equal(6000, Pairs(kept, "params").Single(p => p.Key == "long").Value.Length);
        Assert.Equal(8000, Pairs(kept, "tags").Single(p => p.Key == "long").Value.Length);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        await mlflow.FailsAsync("runs/get?run_id=abc", null, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Run with id=abc not found", "GET");
        await mlflow.FailsAsync("runs/log-metric", new { run_id = "abc", key = "m", value = 1, timestamp = 1 }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Run with id=abc not found");
        await mlflow.FailsAsync("runs/create", new { experiment_id = "77777" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77777 exists");
        var run = await mlflow.RunAsync();
        await mlflow.FailsAsync("runs/delete-tag", new { run_id = run, key = "zz" }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", $"No tag with name: zz in run with id {run}");
    }

    [Fact]
    public async Task Runs_are_searched_filtered_ordered_and_paged()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        for (var i = 0; i < 7; i++)
        {
            var run = await mlflow.RunAsync(experiment);
            await mlflow.PostAsync("runs/log-batch", new
            {
                run_id = run,
                @params = new[] { new { key = "i", value = $"{i}" } },
                metrics = i == 3 ? [] : new object[] { new { key = "val loss", value = i == 5 ? "NaN" : (object)(10 - i), timestamp = 1 } },
            });
        }

        var seen = new List<string>();
        string? token = null;
        do
        {
            var page = await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment, "99999" }, order_by = new[] { "metrics.`val loss` ASC" }, max_results = 3, page_token = token });
            seen.AddRange(page.GetProperty("runs").EnumerateArray().Select(run => Pairs(run, "params").Single().Value));
            token = page.TryGetProperty("next_page_token", out var next) ? next.GetString() : null;
        }
        while (token is not null);
        Assert.Equal(["6", "4", "2", "1", "0", "5", "3"], seen);

        var found = await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment }, filter = "metrics.\"val loss\" > 7 AND params.i != '1' and status = 'RUNNING'" });
        Assert.Equal(["2", "0"], found.GetProperty("runs").EnumerateArray().Select(run => Pairs(run, "params").Single().Value));
        Assert.Equal("{}", (await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment }, run_view_type = "DELETED_ONLY" })).GetRawText());
        Assert.Equal("{}", (await mlflow.PostAsync("runs/search", new JsonObject())).GetRawText());
        await mlflow.FailsAsync("runs/search", new { experiment_ids = new[] { experiment }, filter = "metrics.a > 1 or metrics.b > 1" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid clause(s) in filter string: 'or'");
        await mlflow.FailsAsync("runs/search", new { experiment_ids = new[] { experiment }, page_token = "bm90IGEgdG9rZW4" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "page_token");
        await mlflow.FailsAsync("runs/search", new { experiment_ids = new[] { experiment }, order_by = new[] { "metrics.a", "metric.a DESC" } }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "duplicate");
    }

    [Fact]
    public async Task A_logged_model_is_noted_on_its_run()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        foreach (var path in new[] { "model", "other" })
        {
            await mlflow.PostAsync("runs/log-model", new { run_id = run, model_json = $$"""{"artifact_path":"{{path}}","flavors":{},"utc_time_created":"x"}""" });
        }

        var history = JsonNode.Parse(Pairs(await mlflow.RunDataAsync(run), "tags").Single(t => t.Key == "mlflow.log-model.history").Value)!.AsArray();
        Assert.Equal(["model", "other"], history.Select(m => (string?)m!["artifact_path"]));
        await mlflow.FailsAsync("runs/log-model", new { run_id = run, model_json = "{}" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "missing mandatory fields");
    }

    [Fact]
    public async Task Clients_of_the_ui_prefix_see_the_same()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var plain = await mlflow.GetAsync("runs/get?run_uuid=" + run);
        Assert.Equal(plain.GetRawText(), (await mlflow.GetAsync("/ajax-api/2.0/mlflow/runs/get?run_id=" + run)).GetRawText());
        Assert.Equal("""{"store_type":"SqlStore","workspaces_enabled":false}""", (await mlflow.GetAsync("/api/3.0/mlflow/server-info")).GetRawText());
    }

    [Fact]
    public async Task The_life_of_a_run_is_in_the_event_log_and_what_is_logged_on_it_is_not()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = new[] { new { key = "m", value = 1, timestamp = 1 } }, @params = new[] { new { key = "p", value = "1" } } });
        await mlflow.PostAsync("runs/update", new { run_id = run, status = "FINISHED" });
        await mlflow.PostAsync("runs/delete", new { run_id = run });
        var events = await host.Get<Zaffre.Database.IEventLog>().ReadAsync(0, 10_000, default);
        Assert.Equal(
            ["write", "write", "delete"],
            events.Where(e => e.Subject.EndsWith("/runs/" + run, StringComparison.Ordinal)).Select(e => e.Action.Split('/')[^1]));
        Assert.All(events, e => Assert.DoesNotContain("\"m\"", e.Payload, StringComparison.Ordinal));
    }

    private static List<(string Key, string Value)> Pairs(JsonElement run, string member) =>
        [.. run.GetProperty("data").GetProperty(member).EnumerateArray().Select(p => (p.GetProperty("key").GetString()!, p.GetProperty("value").GetString()!))];
}
