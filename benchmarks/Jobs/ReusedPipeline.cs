using System.Diagnostics;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>A pipeline of 100 steps submitted again unchanged, beside Snakemake asked again for what it has made already.</summary>
internal static class ReusedPipeline
{
    private const int Runs = 5;

    private static readonly Graph Whole = new("reused-100", 100, Chain: false);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, Path.Combine(data, "server"));
        using var client = await JobClient.ConnectAsync(server);
        await Graph.RegisterAsync(client);
        var body = Whole.Pipeline(client.Workspace, again: false);
        await TimeAsync(client, "first", body);
        await TimeAsync(client, "warm-up", body);
        List<double> own = [], ran = [];
        List<double?> snakemake = [];
        var folder = Path.Combine(data, "snakemake");
        await Peer.SnakemakeAsync(Whole, folder);
        for (var run = 0; run < Runs; run++)
        {
            own.Add(await TimeAsync(client, $"again-{run}", body));
            ran.Add(await RanAsync(client, $"again-{run}"));
            snakemake.Add(await Peer.SnakemakeAsync(Whole, folder));
        }

        // A step that ran is no step reused; then the time says nothing about reuse.
        return [Figure.Of("pipeline.reused-100", "s", own).Beside("Snakemake no-op", snakemake), Figure.Of("pipeline.reused-100.steps-that-ran", "", ran)];
    }

    private static async Task<double> TimeAsync(JobClient client, string name, string body)
    {
        var began = Stopwatch.GetTimestamp();
        await client.PutAsync($"jobs/{Whole.Name}-{name}", body);
        await client.EndAsync($"{Whole.Name}-{name}");
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>How many steps do not say that they were reused.</summary>
    private static async Task<double> RanAsync(JobClient client, string name)
    {
        var ran = 0;
        for (var step = 0; step < Whole.Steps; step++)
        {
            var job = await client.GetAsync($"jobs/{Whole.Name}-{name}_{Graph.NameOf(step)}");
            ran += (string?)job["properties"]?["properties"]?["azureml.isreused"] == "true" ? 0 : 1;
        }

        return ran;
    }
}
