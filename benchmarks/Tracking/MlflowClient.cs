using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>The calls of MLflow's REST API that are measured; the same for this server and for MLflow's own. It reads no more of an answer than it needs.</summary>
internal sealed class MlflowClient(HttpClient http)
{
    private const string Api = "/api/2.0/mlflow/";

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    public async Task<string> ExperimentAsync(string name) => Text(await PostAsync("experiments/create", $$"""{"name":"{{name}}"}"""), "experiment_id");

    public async Task<string> CreateRunAsync(string experiment, string name) => Text(await PostAsync(
        "runs/create", $$"""{"experiment_id":"{{experiment}}","start_time":{{Now}},"run_name":"{{name}}","tags":[{"key":"mlflow.user","value":"bench"}]}"""), "run_id");

    public Task LogMetricAsync(string run, string key, double value, long step) => PostAsync(
        "runs/log-metric", string.Create(Invariant, $$"""{"run_id":"{{run}}","key":"{{key}}","value":{{value:R}},"timestamp":{{Now}},"step":{{step}}}"""));

    /// <summary>Logs points of a metric at the steps from <paramref name="first"/> on, in one request.</summary>
    public Task LogPointsAsync(string run, string key, long first, int count) =>
        LogMetricsAsync(run, Enumerable.Range(0, count).Select(i => (key, Math.Sin((first + i) * 0.001), first + i)));

    /// <summary>Logs points in one request.</summary>
    public async Task LogMetricsAsync(string run, IEnumerable<(string Key, double Value, long Step)> points)
    {
        var body = new ArrayBufferWriter<byte>(128 * 1024);
        await using var json = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("run_id", run);
        json.WriteStartArray("metrics");
        foreach (var (key, value, step) in points)
        {
            json.WriteStartObject();
            json.WriteString("key", key);
            json.WriteNumber("value", value);
            json.WriteNumber("timestamp", 1_700_000_000_000 + step);
            json.WriteNumber("step", step);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync();
        await PostAsync("runs/log-batch", body.WrittenMemory);
    }

    public Task LogBatchAsync(string body) => PostAsync("runs/log-batch", body);

    /// <summary>How many runs a page of a search has, and the token of the next one.</summary>
    public async Task<(int Runs, string? Next)> SearchAsync(IReadOnlyList<string> experiments, string more, string? token = null)
    {
        var answer = await PostAsync("runs/search", Search(experiments, more, token));
        return (Count(answer), Find(answer, "next_page_token"));
    }

    public async Task<int> ChartAsync(string run, string key) => Count(await http.GetByteArrayAsync(
        new Uri($"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key={key}&max_results=320", UriKind.Relative)));

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private static string Search(IReadOnlyList<string> experiments, string more, string? token) =>
        $$"""{"experiment_ids":[{{string.Join(',', experiments.Select(id => $"\"{id}\""))}}],"max_results":100{{more}}{{(token is null ? "" : $",\"page_token\":\"{token}\"")}}}""";

    private Task<byte[]> PostAsync(string call, string body) => PostAsync(call, Encoding.UTF8.GetBytes(body));

    private async Task<byte[]> PostAsync(string call, ReadOnlyMemory<byte> body)
    {
        using var content = new ReadOnlyMemoryContent(body);
        content.Headers.ContentType = Json;
        using var answer = await http.PostAsync(new Uri(Api + call, UriKind.Relative), content);
        return answer.IsSuccessStatusCode
            ? await answer.Content.ReadAsByteArrayAsync()
            : throw new InvalidOperationException($"{call}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>How many objects the list of an answer has: an answer has one list of objects at its root.</summary>
    private static int Count(ReadOnlySpan<byte> answer)
    {
        var count = 0;
        var reader = new Utf8JsonReader(answer);
        while (reader.Read())
        {
            count += reader is { TokenType: JsonTokenType.StartObject, CurrentDepth: 2 } ? 1 : 0;
        }

        return count;
    }

    private static string Text(ReadOnlySpan<byte> answer, string member) => Find(answer, member) ?? throw new InvalidOperationException($"The answer has no {member}.");

    private static string? Find(ReadOnlySpan<byte> answer, string member)
    {
        var reader = new Utf8JsonReader(answer);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(member))
            {
                return reader.Read() ? reader.GetString() : null;
            }
        }

        return null;
    }
}
