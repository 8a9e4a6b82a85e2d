using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Zaffre.Tests.Clients;

namespace Zaffre.Tests.Crash.Endpoints;

/// <summary>Tests that bound how long answers may wait: nothing else runs beside them.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
#pragma warning disable CA1711 // What xunit calls it.
public sealed class AloneCollection;
#pragma warning restore CA1711

/// <summary>Scoring under load while its processes are killed. Every answer that is 200 must also be right.</summary>
[Collection("alone")]
public sealed class ServingCrashTests : IAsyncLifetime, IDisposable
{
    private const int Kills = 20;
    private readonly ZaffreServer server = new();
    private HttpClient client = new();
    private Uri uri = new("https://localhost");

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        string[] lines;
        try
        {
            lines = (await server.PythonAsync(Sdk.Oldest, Sdks.Proxy, "crash_endpoint.py")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch
        {
            // Disposing is not called when this fails.
            await server.DisposeAsync();
            throw;
        }

        uri = new Uri(lines.Single(l => l.StartsWith("uri ", StringComparison.Ordinal))[4..]);
        client.Dispose();
        client = server.Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", lines.Single(l => l.StartsWith("key ", StringComparison.Ordinal))[4..].Trim());
    }

    public void Dispose() => client.Dispose();

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
    }

    [Fact]
    public async Task No_request_fails_while_the_server_is_killed_and_started_again()
    {
        var processes = new HashSet<int>();
        var answers = await UnderLoadAsync(async () =>
        {
            for (var i = 0; i < 3; i++)
            {
                await server.KillAsync();
                await Task.Delay(300);
                await server.StartAsync();
                await Task.Delay(300);
            }
        });
        Assert.True(answers.Count > 100, $"only {answers.Count} requests were made");
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        processes.UnionWith(answers.Select(a => a.Process));
        Assert.True(processes.Count <= 2, "instances were started again: " + string.Join(", ", processes));
    }

    [Fact]
    public async Task A_killed_scoring_process_costs_at_most_the_requests_that_it_ran()
    {
        var answers = await UnderLoadAsync(async () =>
        {
            for (var i = 0; i < Kills; i++)
            {
                Assert.Equal(HttpStatusCode.BadGateway, (await ScoreAsync(i, die: true)).Status);
                await Task.Delay(100);
            }
        });
        Assert.All(answers, a => Assert.True(a.Status is HttpStatusCode.OK or HttpStatusCode.BadGateway, $"{a.Status}"));

        // Four run side by side in a process: a kill takes at most the other three with it.
        Assert.True(answers.Count(a => a.Status == HttpStatusCode.BadGateway) <= Kills * 3);
        Assert.Equal(HttpStatusCode.OK, (await ScoreAsync(1, die: false)).Status);
    }

    [Fact]
    public async Task After_the_gateway_was_killed_right_answers_come_again_within_two_seconds()
    {
        for (var i = 0; i < 3; i++)
        {
            var pid = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(server.Data, "gateway", "state.json"))).RootElement.GetProperty("processId").GetInt32();
            (await ZaffreBinary.RunProgramAsync("/bin/kill", ["-9", pid.ToString(CultureInfo.InvariantCulture)])).Succeeded();
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (await TryScoreAsync(i) != HttpStatusCode.OK || await TryCountAsync(i) != HttpStatusCode.OK)
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), "no answer for five seconds");
                await Task.Delay(20);
            }

            Console.WriteLine($"gateway back after {clock.ElapsedMilliseconds} ms");
        }
    }

    private async Task<HttpStatusCode?> TryScoreAsync(int n)
    {
        try
        {
            return (await ScoreAsync(n, die: false)).Status;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    // The deployment that the gateway scores itself: a loop of ONNX that counts to its input.
    private async Task<HttpStatusCode?> TryCountAsync(int n)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new StringContent($$"""{"inputs":[{{n}}]}""", Encoding.UTF8, "application/json") };
            request.Headers.Add("azureml-model-deployment", "count");
            using var answer = await client.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode != HttpStatusCode.OK || body == $$"""{"y":[{{n}}]}""", body);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task<List<(HttpStatusCode Status, int Process)>> UnderLoadAsync(Func<Task> events)
    {
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(1, 4).Select(n => Task.Run(async () =>
        {
            var seen = new List<(HttpStatusCode, int)>();
            while (!stop.IsCancellationRequested)
            {
                seen.Add(await ScoreAsync(n, die: false));
            }

            return seen;
        })).ToList();
        try
        {
            await events();
        }
        finally
        {
            await stop.CancelAsync();
        }

        return [.. (await Task.WhenAll(clients)).SelectMany(s => s)];
    }

    private async Task<(HttpStatusCode Status, int Process)> ScoreAsync(int n, bool die)
    {
        using var content = new StringContent(die ? """{"n":1,"die":true}""" : $$"""{"n":{{n}}}""", Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(uri, content);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            return (answer.StatusCode, 0);
        }

        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(n * 7, body.GetProperty("answer").GetInt32());
        return (answer.StatusCode, body.GetProperty("process").GetInt32());
    }
}
