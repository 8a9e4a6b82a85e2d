using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>MLflow's API over HTTPS, every acknowledged write durable; beside MLflow's own server (plain HTTP) where the machine has one. Times of one call, so that less is better.</summary>
internal static class TrackingBenchmark
{
    private const int Runs = 5;

    // What clients ask for when they show a table of runs.
    private static readonly (string Name, string More, int Found)[] Searches =
    [
        ("default", "", 100),
        ("by-metric", ""","order_by":["metrics.m3 DESC"]""", 100),
        ("by-param", ""","order_by":["params.p1 ASC"]""", 100),
        ("by-name", ""","order_by":["attributes.run_name ASC"]""", 100),
        ("filter-tag-by-metric", ""","filter":"tags.t1 = '7'","order_by":["metrics.m3 DESC"]""", 100),
        ("filter-metric-and-param", ""","filter":"metrics.m1 > 0.5 and params.p2 = '11'" """, 100),
        ("filter-like", ""","filter":"tags.t2 LIKE '%3'" """, 100),
        ("filter-none", ""","filter":"params.p2 = 'nothing'" """, 0),
    ];

    public static async Task<IReadOnlyList<Figure>> RunAsync(string root)
    {
        var data = Directory.CreateTempSubdirectory("zaffre-bench-").FullName;
        try
        {
            using var peer = await MlflowPeer.TryStartAsync(Path.Combine(data, "mlflow"));
            await using var server = await ZaffreServer.StartAsync(Path.Combine(root, "artifacts/zaffre/current/zaffre"), Path.Combine(data, "zaffre"));
            using var jobs = await JobClient.ConnectAsync(server);
            var ours = await LoadAsync(jobs.Http);
            var theirs = peer is null ? null : await LoadAsync(peer.Http);
            List<Figure> figures =
            [
                await BesideAsync("create-run.8-clients", "us", ours, theirs, load => load.CreateRunsAsync(8)),
                await BesideAsync("log-metric.8-clients", "us", ours, theirs, load => load.LogMetricsAsync(8)),
                await BesideAsync("log-batch-1000.4-clients.per-metric", "us", ours, theirs, load => load.LogBatchesAsync(4)),
            ];
            var (own, other) = (await LoadAsync(jobs.Http), peer is null ? null : await LoadAsync(peer.Http));
            await Task.WhenAll(own.SeedAsync(0, 10_000), other?.SeedAsync(0, 10_000) ?? Task.CompletedTask);
            figures.AddRange(await SearchesAsync("10000", own, other));
            figures.Add(await ChartAsync("chart-320-of-100000", 100_000, own, other));
            await own.SeedAsync(10_000, 100_000);
            figures.AddRange(await SearchesAsync("100000", own, theirs: null));
            figures.Add(await ChartAsync("chart-320-of-10000000", 10_000_000, own, theirs: null));
            return figures;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<IEnumerable<Figure>> SearchesAsync(string runs, TrackingLoad ours, TrackingLoad? theirs)
    {
        var figures = new List<Figure>();
        foreach (var (name, more, found) in Searches)
        {
            figures.Add(await BesideAsync($"search-100-of-{runs}.{name}", "ms", ours, theirs, load => load.SearchAsync(more, found)));
        }

        return figures;
    }

    private static async Task<Figure> ChartAsync(string name, int points, TrackingLoad ours, TrackingLoad? theirs)
    {
        var runs = new Dictionary<TrackingLoad, string> { [ours] = await ours.SeriesAsync(points) };
        if (theirs is not null)
        {
            runs[theirs] = await theirs.SeriesAsync(points);
        }

        return await BesideAsync(name, "ms", ours, theirs, load => load.ChartAsync(runs[load]));
    }

    private static async Task<TrackingLoad> LoadAsync(HttpClient http)
    {
        var client = new MlflowClient(http);
        return new TrackingLoad(client, await client.ExperimentAsync($"bench-{Guid.NewGuid():N}"));
    }

    private static async Task<Figure> BesideAsync(string name, string unit, TrackingLoad ours, TrackingLoad? theirs, Func<TrackingLoad, Task<double>> measure)
    {
        List<double> own = [];
        List<double?> peer = [];
        await measure(ours);
        for (var run = 0; run < Runs; run++)
        {
            own.Add(await measure(ours));
            if (theirs is not null)
            {
                peer.Add(await measure(theirs));
            }
        }

        var figure = Figure.Of(name, unit, own);
        await Console.Error.WriteLineAsync(figure.ToString());
        return theirs is null ? figure : figure.Beside("MLflow", peer);
    }
}
