using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Calls of the MLflow API as its clients make them. A connection that is lost is an <see cref="HttpRequestException"/>; any answer but 200 fails the test.</summary>
internal sealed class TrackingWire(HttpClient client) : IDisposable
{
    public const string Api = "/api/2.0/mlflow/";
    public const string Api3 = "/api/3.0/mlflow/";
    public const string Artifacts = "/api/2.0/mlflow-artifacts/";

    public Task<JsonElement> PostAsync(string path, object body) => CallAsync(HttpMethod.Post, path, body);

    public Task<JsonElement> GetAsync(string path) => CallAsync(HttpMethod.Get, path, null);

    public async Task<JsonElement> CallAsync(HttpMethod method, string path, object? body)
    {
        using var content = body is null ? null : new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var answer = await SendAsync(method, path, content);
        return await JsonAsync(answer, method, path);
    }

    /// <summary>Sends JSON spans as an OTLP exporter does.</summary>
    public async Task SpansAsync(string experiment, object body)
    {
        using var content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        content.Headers.Add("x-mlflow-experiment-id", experiment);
        using var answer = await SendAsync(HttpMethod.Post, "/v1/traces", content);
        await JsonAsync(answer, HttpMethod.Post, "/v1/traces");
    }

    /// <summary>Writes bytes, and returns the ETag of what was written, where there is one.</summary>
    public async Task<string> PutAsync(string path, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        using var answer = await SendAsync(HttpMethod.Put, path, content);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"PUT {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return answer.Headers.ETag?.ToString() ?? "";
    }

    public async Task<byte[]> BytesAsync(string path)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"GET {path}: {(int)answer.StatusCode}");
        return await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>Follows a stream of events for a while, and returns the first lines of it.</summary>
    public async Task<List<string>> FollowAsync(string path, TimeSpan most)
    {
        using var enough = new CancellationTokenSource(most);
        var lines = new List<string>();
        try
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, enough.Token);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"GET {path}: {(int)answer.StatusCode}");
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(enough.Token));
            while (await reader.ReadLineAsync(enough.Token) is { } line)
            {
                lines.Add(line);
            }
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested)
        {
            // Long enough.
        }

        return lines;
    }

    /// <summary>Every item of a search, page by page.</summary>
    public async Task<List<JsonElement>> SearchAsync(string path, string member, Dictionary<string, object> query)
    {
        var found = new List<JsonElement>();
        var body = new Dictionary<string, object>(query, StringComparer.Ordinal);
        while (true)
        {
            var page = await PostAsync(path, body);
            found.AddRange(page.Items(member));
            if (page.Text("next_page_token") is not { Length: > 0 } next)
            {
                return found;
            }

            body["page_token"] = next;
        }
    }

    public async Task<string> ExperimentAsync(string name) => (await PostAsync("experiments/create", new { name })).Text("experiment_id")!;

    public async Task<string> RunAsync(string experiment) => (await PostAsync("runs/create", new { experiment_id = experiment })).GetProperty("run").GetProperty("info").Text("run_id")!;

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, new Uri(path[0] == '/' ? path : Api + path, UriKind.Relative)) { Content = content };
        return await client.SendAsync(request);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer, HttpMethod method, string path)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement.Clone();
    }
}

/// <summary>Reads answers, in which empty lists and members are left out.</summary>
internal static class TrackingAnswers
{
    public static IEnumerable<JsonElement> Items(this JsonElement owner, string member) => owner.TryGetProperty(member, out var list) ? list.EnumerateArray() : [];

    public static string? Text(this JsonElement owner, string member) => owner.TryGetProperty(member, out var value) ? value.ToString() : null;

    /// <summary>Lists of <c>key</c> and <c>value</c>.</summary>
    public static SortedDictionary<string, string> Pairs(this JsonElement owner, string member) =>
        new(owner.Items(member).ToDictionary(pair => pair.Text("key")!, pair => pair.Text("value") ?? "", StringComparer.Ordinal), StringComparer.Ordinal);

    public static double Number(this JsonElement owner, string member) => owner.Text(member) switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        { } text => double.Parse(text, CultureInfo.InvariantCulture),
        null => 0,
    };

    /// <summary>A number as it is sent: JSON has neither NaN nor infinities.</summary>
    public static object Wire(this double value) => double.IsFinite(value) ? value : value.ToString(CultureInfo.InvariantCulture);

    public static string Joined(this IEnumerable<KeyValuePair<string, string>> pairs) => string.Join(",", pairs.Select(pair => $"{pair.Key}={pair.Value}"));
}
