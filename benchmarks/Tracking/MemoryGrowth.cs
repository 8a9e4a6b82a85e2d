using System.Diagnostics;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>The server's memory while 100 runs log 100 metrics a second each: ten seconds of that to warm up, then a minute that counts.</summary>
internal static class MemoryGrowth
{
    private const int Runs = 100;
    private const int Metrics = 100;
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(60);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string folder)
    {
        await using var server = await ZaffreServer.StartAsync(program, folder);
        using var jobs = await JobClient.ConnectAsync(server);
        var client = new MlflowClient(jobs.Http);
        var experiment = await client.ExperimentAsync("memory");
        var runs = await Task.WhenAll(Enumerable.Range(0, Runs).Select(run => client.CreateRunAsync(experiment, $"run-{run}")));
        var names = Enumerable.Range(0, Metrics).Select(metric => $"metric{metric}").ToArray();
        var began = Stopwatch.GetTimestamp();
        using var ending = new CancellationTokenSource();
        var sent = new int[Runs];
        var logging = Task.WhenAll(runs.Select((run, index) => LogAsync(client, run, names, began, () => sent[index]++, ending.Token)));
        List<double> memory = [];
        double counted = 0, spent = 0;
        while (Stopwatch.GetElapsedTime(began) < Warm + Length)
        {
            await Task.Delay(TimeSpan.FromSeconds(2));
            if (Stopwatch.GetElapsedTime(began) >= Warm)
            {
                (counted, spent) = memory.Count == 0 ? (sent.Sum(), server.ProcessorTime().TotalSeconds) : (counted, spent);
                memory.Add(server.MemoryInMegabytes());
                await Console.Error.WriteLineAsync($"{Stopwatch.GetElapsedTime(began).TotalSeconds:0} s: {memory[^1]:0.0} MB");
            }
        }

        var rate = (sent.Sum() - counted) * Metrics / Length.TotalSeconds;
        var load = (server.ProcessorTime().TotalSeconds - spent) / Length.TotalSeconds;
        await ending.CancelAsync();
        await logging;
        var part = Math.Max(1, memory.Count / 6);
        return
        [
            new Figure("memory.100-runs.growth", Math.Round(Figure.Percentile(memory[^part..], 0.5) - Figure.Percentile(memory[..part], 0.5), 1), "MB"),
            new Figure("memory.100-runs.most", Math.Round(memory.Max(), 1), "MB"),
            new Figure("memory.100-runs.metrics-per-second", Math.Round(rate), "/s"),
            new Figure("memory.100-runs.server-cpu", Math.Round(load, 3), "cores"),
        ];
    }

    /// <summary>One batch a second, each run at a moment of its own.</summary>
    private static async Task LogAsync(MlflowClient client, string run, string[] names, long began, Action done, CancellationToken ct)
    {
        var offset = TimeSpan.FromSeconds(Random.Shared.NextDouble());
        for (var second = 0; !ct.IsCancellationRequested; second++)
        {
            var wait = TimeSpan.FromSeconds(second) + offset - Stopwatch.GetElapsedTime(began);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, CancellationToken.None);
            }

            var step = second;
            await client.LogMetricsAsync(run, names.Select((name, metric) => (name, Math.Sin(step * 0.1) + metric, (long)step)));
            done();
        }
    }
}
