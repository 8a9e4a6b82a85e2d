using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Zaffre.Tests.Clients;

namespace Zaffre.Tests.Crash.Jobs;

/// <summary>The server is killed while jobs of several processes are accepted, started, run and ended.</summary>
public sealed class GangCrashTests : IAsyncLifetime
{
    private const int KillsInCi = 4;
    private const int Processes = 3;
    private readonly ZaffreServer server = new();
    private string token = "";

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        token = await server.TokenAsync();
        using var client = server.Client(token);
        using var answer = await client.PutAsJsonAsync(Url("environments/crash/versions/1"), new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian" } });
        answer.EnsureSuccessStatusCode();
    }

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Every_process_runs_once_with_its_log_whole_and_the_job_ends_as_its_processes_did()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
        var kills = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : KillsInCi;
        Console.WriteLine($"gang crash test: {kills} kills, seed {seed} (ZAFFRE_SEED={seed})");
        var random = new Random(seed);
        var accepted = new List<string>();
        for (var kill = 0; kill < kills; kill++)
        {
            // Around the start of the processes, which is when a gang can be torn.
            foreach (var fails in (bool[])[false, true])
            {
                accepted.Add(await SubmitAsync(kill, fails));
            }

            await Task.Delay(random.Next(0, 400));
            await server.KillAsync();
            await server.StartAsync();
        }

        foreach (var name in accepted)
        {
            var status = await EndAsync(name);
            var fails = name.EndsWith("fails", StringComparison.Ordinal);
            Assert.Equal((name, fails ? "Failed" : "Completed"), (name, status.Status));
            if (fails)
            {
                Assert.StartsWith("Rank 1 of 3 processes failed, and the others were ended. The command ended with exit code 5.", status.Message, StringComparison.Ordinal);
            }

            for (var rank = 0; rank < Processes; rank++)
            {
                var log = await File.ReadAllLinesAsync(LogOf(name, rank));
                var begun = log.Count(line => line == FormattableString.Invariant($"begin {rank}"));

                // One that the next server starts after another has failed may be ended before it says a word.
                Assert.True(begun == 1 || (begun == 0 && fails && rank != 1), $"process {rank} of {name} began {begun} times");
                Assert.Equal((name, rank, fails ? 0 : 1), (name, rank, log.Count(line => line == "end")));
            }
        }
    }

    private async Task<string> SubmitAsync(int round, bool fails)
    {
        var name = FormattableString.Invariant($"gang-{round}-{(fails ? "fails" : "works")}");
        using var client = server.Client(token);
        using var answer = await client.PutAsJsonAsync(Url("jobs/" + name), new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["jobType"] = "Command",
                ["command"] = fails ? "echo begin $RANK; if [ $RANK = 1 ]; then sleep 0.2; exit 5; fi; sleep 600" : "echo begin $RANK; sleep 0.3; echo end",
                ["environmentId"] = $"{server.Workspace}/environments/crash/versions/1",
                ["distribution"] = new JsonObject { ["distributionType"] = "PyTorch", ["processCountPerInstance"] = Processes },
            },
        });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return name;
    }

    private async Task<(string Status, string Message)> EndAsync(string name)
    {
        using var client = server.Client(token);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await client.GetStringAsync(new Uri($"/zaffre/v1{server.Workspace}/jobs/{name}/logs?follow=true", UriKind.Relative), limit.Token);
        var job = (await client.GetFromJsonAsync<JsonObject>(Url("jobs/" + name), limit.Token))!["properties"]!;
        return (job["status"]!.GetValue<string>(), job["properties"]?["zaffre.error.message"]?.GetValue<string>() ?? "");
    }

    private string LogOf(string job, int rank) =>
        Assert.Single(Directory.GetFiles(Path.Combine(server.Data, "blobs"), FormattableString.Invariant($"std_log_process_{rank}.txt"), SearchOption.AllDirectories), path => path.Contains($"/dcid.{job}/", StringComparison.Ordinal));

    private Uri Url(string path) => new($"{server.Workspace}/{path}?api-version=2024-10-01", UriKind.Relative);
}
