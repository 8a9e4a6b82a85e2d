using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Zaffre.Tests.Http.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>What a job finds in its environment, used as MLflow's client uses it.</summary>
public sealed class JobVariablesTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Fact]
    public async Task A_jobs_variables_are_all_that_MLflow_needs_to_log_on_the_jobs_run()
    {
        var jobs = new JobClient(host);
        (await jobs.PutAsync("variables", """{"experimentName":"tracked","command":"env | grep -E '^(MLFLOW|AZUREML)_'; echo end; while [ ! -e outputs/go ]; do sleep 0.05; done"}""")).Ok();
        using var owner = await host.OwnerAsync();
        using var answer = await owner.GetAsync(new Uri($"/zaffre/v1{host.Workspace.Id}/jobs/variables/logs?follow=true", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadLineAsync() is { } line && line != "end")
        {
            variables[line[..line.IndexOf('=', StringComparison.Ordinal)]] = line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }

        Assert.Equal(($"https://localhost:8443/zaffre/v1{host.Workspace.Id}", "variables", "tracked"), (variables["MLFLOW_TRACKING_URI"], variables["MLFLOW_RUN_ID"], variables["MLFLOW_EXPERIMENT_NAME"]));
        Assert.Equal((variables["MLFLOW_TRACKING_TOKEN"], variables["MLFLOW_RUN_ID"]), (variables["AZUREML_RUN_TOKEN"], variables["AZUREML_RUN_ID"]));
        await jobs.StatusAsync("variables", "Running");
        var api = new Uri(variables["MLFLOW_TRACKING_URI"]).AbsolutePath + "/api/2.0/mlflow/";
        using (var job = host.With(variables["MLFLOW_TRACKING_TOKEN"]))
        {
            var run = (await job.GetFromJsonAsync<JsonElement>(new Uri($"{api}runs/get?run_id={variables["MLFLOW_RUN_ID"]}", UriKind.Relative))).GetProperty("run").GetProperty("info");
            Assert.Equal((variables["MLFLOW_EXPERIMENT_ID"], "RUNNING"), (run.GetProperty("experiment_id").GetString(), run.GetProperty("status").GetString()));
            using var logged = await job.PostAsJsonAsync(new Uri(api + "runs/log-metric", UriKind.Relative), new { run_id = variables["MLFLOW_RUN_ID"], key = "m", value = 0.5, timestamp = 1, step = 1 });
            Assert.Equal(HttpStatusCode.OK, logged.StatusCode);
            var token = await job.GetFromJsonAsync<JsonElement>(new Uri($"/history/v1.0{host.Workspace.Id}/experimentids/{variables["MLFLOW_EXPERIMENT_ID"]}/runs/variables/token", UriKind.Relative));
            Assert.Equal(variables["AZUREML_RUN_TOKEN_EXPIRY"], $"{token.GetProperty("expiryTimeUtc").GetDateTimeOffset().ToUnixTimeSeconds()}");
        }

        Assert.Equal(0.5, (double)(await jobs.MetricsAsync("variables", "m"))[0]!["value"]!);
        using (var cancel = await jobs.CancelAsync("variables"))
        {
            Assert.True(cancel.IsSuccessStatusCode);
        }

        await jobs.StatusAsync("variables", "Canceled");
        using var ended = host.With(variables["MLFLOW_TRACKING_TOKEN"]);
        using var refused = await ended.GetAsync(new Uri(api + "runs/get?run_id=variables", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }
}
