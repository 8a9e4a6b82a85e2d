using System.Net;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

public sealed class InputTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private static readonly object Dataset = new { name = "iris", digest = "d1", source_type = "local", source = "{\"uri\":\"x\"}", schema = "{}", profile = "{\"n\":3}" };

    [Fact]
    public async Task Datasets_and_models_of_a_run_are_answered_with_every_field()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        var input = new { dataset = Dataset, tags = new[] { new { key = "mlflow.data.context", value = "training" } } };
        for (var i = 0; i < 2; i++)
        {
            await mlflow.PostAsync("runs/log-inputs", new { run_id = run, datasets = new[] { input }, models = new[] { new { model_id = "m-1" } } });
            await mlflow.PostAsync("runs/outputs", new { run_id = run, models = new[] { new { model_id = "m-2", step = 3 } } });
        }

        var found = await mlflow.RunDataAsync(run);
        Assert.Equal(
            """{"dataset_inputs":[{"tags":[{"key":"mlflow.data.context","value":"training"}],"dataset":{"name":"iris","digest":"d1","source_type":"local","source":"{\"uri\":\"x\"}","schema":"{}","profile":"{\"n\":3}"}}],"model_inputs":[{"model_id":"m-1"}]}""",
            found.GetProperty("inputs").GetRawText());
        Assert.Equal("""{"model_outputs":[{"model_id":"m-2","step":3}]}""", found.GetProperty("outputs").GetRawText());
    }

    [Fact]
    public async Task Runs_are_found_by_their_datasets_and_datasets_by_their_experiments()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var experiment = await mlflow.ExperimentAsync();
        var runs = new List<string>();
        foreach (var (name, digest, context) in new[] { ("iris", "d1", "training"), ("iris", "d2", "eval"), ("wine", "d3", "training") })
        {
            runs.Add(await mlflow.RunAsync(experiment));
            await mlflow.PostAsync("runs/log-inputs", new { run_id = runs[^1], datasets = new[] { new { dataset = new { name, digest, source_type = "local", source = "s" }, tags = new[] { new { key = "mlflow.data.context", value = context } } } } });
        }

        async Task<string> FindAsync(string filter)
        {
            var found = await mlflow.PostAsync("runs/search", new { experiment_ids = new[] { experiment }, filter, order_by = new[] { "run_id" } });
            return found.TryGetProperty("runs", out var list) ? string.Join(' ', list.EnumerateArray().Select(run => runs.IndexOf(run.GetProperty("info").GetProperty("run_id").GetString()!)).Order()) : "";
        }

        Assert.Equal("0 1", await FindAsync("datasets.name = 'iris'"));
        Assert.Equal("0", await FindAsync("dataset.name = 'iris' AND dataset.context = 'training'"));
        Assert.Equal("0 2", await FindAsync("dataset.digest IN ('d1', 'd3')"));
        Assert.Equal("2", await FindAsync("dataset.name NOT IN ('iris')"));
        Assert.Equal("2", await FindAsync("dataset.name ILIKE 'W%'"));
        Assert.Equal("", await FindAsync("dataset.name LIKE 'W%'"));
        var summaries = $$"""[{"experiment_id":"{{experiment}}","name":"iris","digest":"d1","context":"training"},{"experiment_id":"{{experiment}}","name":"iris","digest":"d2","context":"eval"},{"experiment_id":"{{experiment}}","name":"wine","digest":"d3","context":"training"}]""";
        foreach (var path in new[] { "experiments/search-datasets", "/api/2.0mlflow/experiments/search-datasets", "/ajax-api/2.0/mlflow/experiments/search-datasets" })
        {
            Assert.Equal(summaries, (await mlflow.PostAsync(path, new { experiment_ids = new[] { experiment } })).GetProperty("dataset_summaries").GetRawText());
        }
    }

    [Fact]
    public async Task Limits_of_datasets_are_MLflows()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var run = await mlflow.RunAsync();
        Task Bad(object body, string message) => mlflow.FailsAsync("runs/log-inputs", body, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message);
        await Bad(new { run_id = run, datasets = new[] { new { tags = Array.Empty<object>() } } }, "Missing value for required parameter 'dataset'.");
        await Bad(new { run_id = run, datasets = new[] { new { dataset = new { name = new string('n', 501), digest = "d", source_type = "s", source = "s" } } } }, "Dataset name exceeds the maximum length of 500");
        await Bad(new { run_id = run, datasets = new[] { new { dataset = new { name = "n", digest = new string('d', 37), source_type = "s", source = "s" } } } }, "Dataset digest exceeds the maximum length of 36");
        await Bad(new { run_id = run, datasets = new[] { new { dataset = new { name = "n", digest = "d", source_type = "s" } } } }, "Missing value for required parameter 'source'.");
        await mlflow.FailsAsync("experiments/search-datasets", new { experiment_ids = Enumerable.Range(0, 21).Select(i => $"{i}") }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "1 to 20 experiments");
        await mlflow.FailsAsync("runs/search", new { experiment_ids = new[] { "0" }, filter = "dataset.size = '1'" }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid dataset key 'size' specified. Valid keys are ['name', 'digest', 'context']");
    }

    [Fact]
    public async Task A_metric_of_several_runs_comes_run_by_run()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var runs = new List<string> { await mlflow.RunAsync(), await mlflow.RunAsync() };
        foreach (var run in runs)
        {
            await mlflow.PostAsync("runs/log-batch", new { run_id = run, metrics = new object[] { new { key = "m", value = 1, timestamp = 2, step = 1 }, new { key = "m", value = "NaN", timestamp = 1, step = 0 } } });
        }

        runs.Sort(StringComparer.Ordinal);
        var bulk = await mlflow.GetAsync($"/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={runs[1]}&run_id={runs[0]}&metric_key=m");
        Assert.Equal(
            string.Join(',', runs.Select(run => $$"""{"key":"m","value":"NaN","timestamp":1,"step":0,"run_id":"{{run}}"},{"key":"m","value":1,"timestamp":2,"step":1,"run_id":"{{run}}"}""")),
            bulk.GetProperty("metrics").GetRawText()[1..^1]);
        Assert.Equal(3, (await mlflow.GetAsync($"metrics/get-history-bulk?run_id={runs[1]}&run_id={runs[0]}&metric_key=m&max_results=3")).GetProperty("metrics").GetArrayLength());
        Assert.Equal("{}", (await mlflow.GetAsync($"metrics/get-history-bulk?run_id={runs[0]}&metric_key=none")).GetRawText());
        await mlflow.FailsAsync("metrics/get-history-bulk?metric_key=m", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'.", "GET");
        await mlflow.FailsAsync("metrics/get-history-bulk?metric_key=m&run_id=" + string.Join("&run_id=", Enumerable.Range(0, 101)), null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "cannot specify more than 100 run_ids", "GET");
    }

    [Fact]
    public async Task A_chart_has_the_same_steps_of_all_runs_and_the_ends_of_each()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        var (longer, brief) = (await mlflow.RunAsync(), await mlflow.RunAsync());
        await mlflow.PostAsync("runs/log-batch", new { run_id = longer, metrics = Enumerable.Range(0, 100).Select(i => new { key = "m", value = i, timestamp = 1000 + i, step = i }) });
        await mlflow.PostAsync("runs/log-batch", new { run_id = brief, metrics = Enumerable.Range(7, 2).Select(i => new { key = "m", value = i, timestamp = i, step = i }) });
        async Task<string> StepsAsync(string run, string query)
        {
            var chart = await mlflow.GetAsync($"metrics/get-history-bulk-interval?run_ids={longer}&run_ids={brief}&metric_key=m&{query}");
            return string.Join(' ', chart.GetProperty("metrics").EnumerateArray().Where(p => p.GetProperty("run_id").GetString() == run).Select(p => p.GetProperty("step").GetInt64()));
        }

        Assert.Equal("0 20 40 60 80 99", await StepsAsync(longer, "max_results=5"));
        Assert.Equal("7 8", await StepsAsync(brief, "max_results=5"));
        Assert.Equal("10 11 12", await StepsAsync(longer, "start_step=10&end_step=12"));
        Assert.Equal("", await StepsAsync(brief, "start_step=10&end_step=12"));
        Task Bad(string query, string message) => mlflow.FailsAsync($"metrics/get-history-bulk-interval?run_ids={brief}&metric_key=m&{query}", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", message, "GET");
        await Bad("start_step=1", "both must be specified");
        await Bad("start_step=2&end_step=1", "end_step must be greater than start_step");
        await Bad("max_results=2501", "Invalid value 2501 for parameter 'max_results' supplied");
    }

    [Fact]
    public async Task What_probes_and_MLflow_3_ask_first_is_answered()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var anonymous = host.Anonymous();
        Assert.Equal("OK", await anonymous.GetStringAsync(new Uri("/health", UriKind.Relative)));
        foreach (var mount in new[] { "", "/zaffre/v1" + Mlflow.Default(host).Id, "/mlflow/v2.0" + Mlflow.Default(host).Id })
        {
            using var mounted = await Mlflow.OwnerAsync(host, mount);
            using var version = await mounted.SendAsync("GET", "/version");
            Assert.Equal("3.11.2", await version.Content.ReadAsStringAsync());
            Assert.Equal("""{"store_type":"SqlStore","workspaces_enabled":false}""", (await mounted.GetAsync("/api/3.0/mlflow/server-info")).GetRawText());
        }
    }
}
