using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>The calls of MLflow's REST API that are measured; the same for this server and for MLflow's own.</summary>
internal sealed class MlflowClient(HttpClient http)
{
    private const string Api = "/api/2.0/mlflow/";

    public async Task<string> ExperimentAsync(string name) => (string)(await PostAsync("experiments/create", $$"""{"name":"{{name}}"}"""))["experiment_id"]!;

    public async Task<string> CreateRunAsync(string experiment, string name) => (string)(await PostAsync(
        "runs/create", $$"""{"experiment_id":"{{experiment}}","start_time":{{Now}},"run_name":"{{name}}","tags":[{"key":"mlflow.user","value":"bench"}]}"""))["run"]!["info"]!["run_id"]!;

    public Task LogMetricAsync(string run, string key, double value, long step) => PostAsync(
        "runs/log-metric", string.Create(Invariant, $$"""{"run_id":"{{run}}","key":"{{key}}","value":{{value:R}},"timestamp":{{Now}},"step":{{step}}}"""));

    /// <summary>Logs points of a metric at the steps from <paramref name="first"/> on, in one request.</summary>
    public Task LogPointsAsync(string run, string key, long first, int count)
    {
        var body = new StringBuilder($$"""{"run_id":"{{run}}","metrics":[""", count * 80);
        for (var step = first; step < first + count; step++)
        {
            body.Append(Invariant, $$"""{{(step == first ? "" : ",")}}{"key":"{{key}}","value":{{Math.Sin(step * 0.001):R}},"timestamp":{{1_700_000_000_000 + step}},"step":{{step}}}""");
        }

        return PostAsync("runs/log-batch", body.Append("]}").ToString());
    }

    public Task LogBatchAsync(string body) => PostAsync("runs/log-batch", body);

    public async Task<int> SearchAsync(string experiment, string more) =>
        (await PostAsync("runs/search", $$"""{"experiment_ids":["{{experiment}}"],"max_results":100{{more}}}"""))["runs"]?.AsArray().Count ?? 0;

    public async Task<int> ChartAsync(string run, string key) => (await http.GetFromJsonAsync<JsonObject>(
        new Uri($"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key={key}&max_results=320", UriKind.Relative)))!["metrics"]!.AsArray().Count;

    private static IFormatProvider Invariant => System.Globalization.CultureInfo.InvariantCulture;

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private async Task<JsonObject> PostAsync(string call, string body)
    {
        using var content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        using var answer = await http.PostAsync(new Uri(Api + call, UriKind.Relative), content);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{call}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }

        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }
}
