using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Identity;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>Calls of the MLflow API as its clients make them.</summary>
internal sealed class Mlflow(HttpClient client, string prefix = "") : IDisposable
{
    public const string Api = "/api/2.0/mlflow/";

    public static async Task<Mlflow> OwnerAsync(ZaffreHost host, string prefix = "") => new(host.With(await Tokens.OwnerAsync(host)), prefix);

    public static WorkspaceRef Default(ZaffreHost host) => new(host.Get<LocalOwner>().SubscriptionId, "zaffre", "main");

    /// <summary>A client with the token of a job that runs.</summary>
    public static async Task<Mlflow> JobAsync(ZaffreHost host, string job)
    {
        await host.Get<Zaffre.Database.IDatabase>().WriteAsync(
            scope => host.Get<IRuns>().Create(scope, new NewRun { Workspace = Default(host), Id = job, Experiment = "jobs", Status = RunStatus.Running }),
            default);
        return new Mlflow(host.With(await host.Get<ITokens>().IssueForJobAsync(Default(host).Child("jobs", job), default)));
    }

    public Task<JsonElement> PostAsync(string path, object body) => ExpectAsync(HttpStatusCode.OK, "POST", path, body);

    public Task<JsonElement> GetAsync(string path) => ExpectAsync(HttpStatusCode.OK, "GET", path, null);

    public async Task FailsAsync(string path, object? body, HttpStatusCode status, string code, string message, string method = "POST")
    {
        var error = await ExpectAsync(status, method, path, body);
        Assert.Equal(code, error.GetProperty("error_code").GetString());
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    public async Task<string> RunAsync(string experiment = "0") =>
        (await PostAsync("runs/create", new { experiment_id = experiment })).GetProperty("run").GetProperty("info").GetProperty("run_id").GetString()!;

    public async Task<string> ExperimentAsync() =>
        (await PostAsync("experiments/create", new { name = Guid.NewGuid().ToString() })).GetProperty("experiment_id").GetString()!;

    public async Task<JsonElement> RunDataAsync(string run) => (await GetAsync("runs/get?run_id=" + run)).GetProperty("run");

    public async Task<HttpResponseMessage> SendAsync(string method, string path, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), prefix + path) { Content = content };
        return await client.SendAsync(request);
    }

    public async Task<JsonElement> ExpectAsync(HttpStatusCode status, string method, string path, object? body)
    {
        var text = body as string ?? (body is null ? null : body as JsonNode is { } node ? node.ToJsonString() : JsonSerializer.Serialize(body));
        using var answer = await SendAsync(method, path.StartsWith('/') ? path : Api + path, text is null ? null : new StringContent(text, Encoding.UTF8, "application/json"));
        var said = await answer.Content.ReadAsStringAsync();
        Assert.True(status == answer.StatusCode, $"{method} {path}: {(int)answer.StatusCode} {said}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return JsonDocument.Parse(said).RootElement.Clone();
    }

    public void Dispose() => client.Dispose();
}
