using System.Diagnostics;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>
/// A chain of 20 steps and 100 independent ones, from before the submission to the first answer that says completed, in turn with Snakemake and GNU make.
/// </summary>
internal static class GraphRuns
{
    private const int Runs = 5;

    private static readonly Graph[] Graphs = [new("chain-20", 20, Chain: true), new("independent-100", 100, Chain: false)];

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, Path.Combine(data, "server"));
        using var client = await JobClient.ConnectAsync(server);
        await Graph.RegisterAsync(client);
        var figures = new List<Figure>();
        foreach (var graph in Graphs)
        {
            // Twice: the code that the larger graph runs is compiled by then.
            await RunAsync(client, graph, "warm-up-1");
            await RunAsync(client, graph, "warm-up-2");
            figures.AddRange(await CompareAsync(server, client, graph, data));
        }

        return figures;
    }

    /// <summary>Seconds from the submission to the end of a pipeline.</summary>
    public static async Task<double> RunAsync(JobClient client, Graph graph, string name)
    {
        var job = $"{graph.Name}-{name}";
        var body = graph.Pipeline(client.Workspace, again: true);
        var began = Stopwatch.GetTimestamp();
        await client.PutAsync($"jobs/{job}", body);
        await client.EndAsync(job);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<IReadOnlyList<Figure>> CompareAsync(ZaffreServer server, JobClient client, Graph graph, string data)
    {
        List<double> own = [], processor = [];
        List<double?> snakemake = [], make = [];
        for (var run = 0; run < Runs; run++)
        {
            var before = server.ProcessorTime();
            own.Add(await RunAsync(client, graph, $"run-{run}"));
            processor.Add((server.ProcessorTime() - before).TotalMilliseconds / graph.Steps);
            snakemake.Add(await Peer.SnakemakeAsync(graph, Path.Combine(data, $"snakemake-{graph.Name}-{run}")));
            make.Add(await Peer.MakeAsync(graph, Path.Combine(data, $"make-{graph.Name}-{run}")));
        }

        var figure = Figure.Of($"pipeline.{graph.Name}", "s", own);
        return
        [
            figure.Beside("Snakemake", snakemake),
            figure.Beside("make", make) with { Name = figure.Name + ".make" },
            Figure.Of($"pipeline.{graph.Name}.server-cpu-per-step", "ms", processor),
        ];
    }
}
