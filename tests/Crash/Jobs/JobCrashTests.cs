using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Zaffre.Tests.Clients;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>The server is killed at random moments while jobs are accepted, started, run and ended.</summary>
public sealed class JobCrashTests : IAsyncLifetime
{
    private const int KillsInCi = 20;
    private const int JobsPerKill = 3;
    private readonly ZaffreServer server = new();
    private string token = "";

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        token = await server.TokenAsync();
    }

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Every_accepted_job_runs_once_and_ends_completed_with_its_log_whole()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
        var kills = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : KillsInCi;
        Console.WriteLine($"job crash test: {kills} kills, seed {seed} (ZAFFRE_SEED={seed})");
        var random = new Random(seed);
        await PutEnvironmentAsync();
        var accepted = new List<(string Name, int Lines)>();
        for (var kill = 0; kill < kills; kill++)
        {
            // Half of the kills come at any moment after the start, half around the life of the first job.
            var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var submitting = SubmitAsync(kill, [.. Enumerable.Range(0, JobsPerKill).Select(_ => random.Next(1, 9))], accepted, first);
            if (kill % 2 == 0)
            {
                await Task.WhenAny(first.Task, submitting);
            }

            await Task.Delay(random.Next(0, 800));
            await server.KillAsync();
            await submitting;
            await server.StartAsync();
        }

        Assert.True(accepted.Count >= kills, $"only {accepted.Count} jobs were accepted: the kills came before anything could happen");
        foreach (var (name, lines) in accepted)
        {
            var expected = "begin\n" + string.Concat(Enumerable.Range(1, lines).Select(i => $"line {i}\n")) + "end\n";
            Assert.Equal((name, "Completed", expected), await EndAsync(name));
        }
    }

    private async Task PutEnvironmentAsync()
    {
        using var client = server.Client(token);
        using var answer = await client.PutAsJsonAsync(Url("environments/crash/versions/1"), new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian" } });
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Submits jobs until the server is gone; only those that were acknowledged count.</summary>
    private async Task SubmitAsync(int round, int[] lines, List<(string Name, int Lines)> accepted, TaskCompletionSource first)
    {
        using var client = server.Client(token);
        for (var i = 0; i < lines.Length; i++)
        {
            var name = $"crash-{round}-{i}";
            var body = new JsonObject
            {
                ["properties"] = new JsonObject
                {
                    ["jobType"] = "Command",
                    ["command"] = "echo begin; for i in $(seq ${{inputs.lines}}); do echo line $i; sleep 0.1; done; echo end",
                    ["environmentId"] = $"{server.Workspace}/environments/crash/versions/1",
                    ["inputs"] = new JsonObject { ["lines"] = new JsonObject { ["jobInputType"] = "literal", ["value"] = lines[i].ToString(CultureInfo.InvariantCulture) } },
                },
            };
            try
            {
                using var answer = await client.PutAsJsonAsync(Url("jobs/" + name), body);
                Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
                accepted.Add((name, lines[i]));
                first.TrySetResult();
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    private async Task<(string Name, string Status, string Log)> EndAsync(string name)
    {
        using var client = server.Client(token);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        // Following ends when the job does.
        var log = await client.GetStringAsync(new Uri($"/zaffre/v1{server.Workspace}/jobs/{name}/logs?follow=true", UriKind.Relative), limit.Token);
        var job = await client.GetFromJsonAsync<JsonObject>(Url("jobs/" + name), limit.Token);
        return (name, job!["properties"]!["status"]!.GetValue<string>(), log);
    }

    private Uri Url(string path) => new($"{server.Workspace}/{path}?api-version=2024-10-01", UriKind.Relative);
}
