using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>MLflow's API over HTTPS, every acknowledged write durable; beside MLflow's own server (plain HTTP) where the machine has one. Times of one call, so that less is better.</summary>
internal static class TrackingBenchmark
{
    private const int Runs = 5;

    private const int WarmUps = 3;

    // What clients ask for when they show a table of runs.
    private static readonly (string Name, string More, int Found)[] Searches =
    [
        ("default", "", 100),
        ("by-metric", ""","order_by":["metrics.m3 DESC"]""", 100),
        ("by-param", ""","order_by":["params.p1 ASC"]""", 100),
        ("by-name", ""","order_by":["attributes.run_name ASC"]""", 100),
        ("by-end-time", ""","order_by":["attributes.end_time DESC"]""", 100),
        ("filter-tag-by-metric", ""","filter":"tags.t1 = '7'","order_by":["metrics.m3 DESC"]""", 100),
        ("filter-metric-and-param", ""","filter":"metrics.m1 > 0.5 and params.p2 = '11'" """, 100),
        ("filter-like", ""","filter":"tags.t2 LIKE '%3'" """, 100),
        ("filter-none", ""","filter":"params.p2 = 'nothing'" """, 0),
    ];

    /// <summary>The parts that run unless others are asked for.</summary>
    private static readonly string[] Usual = ["writes", "searches", "charts"];

    /// <summary>Measures the parts that are named: of <c>writes</c>, <c>searches</c>, <c>charts</c>, <c>memory</c> and <c>million</c>, which takes minutes and some GB; the first three when none is.</summary>
    public static async Task<IReadOnlyList<Figure>> RunAsync(string root, IReadOnlyList<string> parts)
    {
        var data = Directory.CreateTempSubdirectory("zaffre-bench-").FullName;
        var program = Path.Combine(root, "artifacts/zaffre/current/zaffre");
        try
        {
            List<Figure> figures = [];
            foreach (var part in parts.Count > 0 ? parts : Usual)
            {
                var folder = Path.Combine(data, part);
                figures.AddRange(part switch
                {
                    "writes" => await BesideAsync(program, folder, WritesAsync),
                    "searches" => await BesideAsync(program, folder, SearchesAsync),
                    "charts" => await BesideAsync(program, folder, ChartsAsync),
                    "memory" => await MemoryGrowth.MeasureAsync(program, folder),
                    "million" => await MillionRuns.MeasureAsync(root, program, folder),
                    _ => throw new ArgumentException($"There is no part '{part}'; there are: {string.Join(", ", Usual)}, memory, million.", nameof(parts)),
                });
            }

            return figures;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<Figure>> BesideAsync(string program, string folder, Func<TrackingLoad, TrackingLoad?, Task<IReadOnlyList<Figure>>> part)
    {
        using var peer = await MlflowPeer.TryStartAsync(Path.Combine(folder, "mlflow"));
        await using var server = await ZaffreServer.StartAsync(program, Path.Combine(folder, "zaffre"));
        using var jobs = await JobClient.ConnectAsync(server);
        return await part(await LoadAsync(jobs.Http, () => server.ProcessorTime().TotalMicroseconds), peer is null ? null : await LoadAsync(peer.Http, null));
    }

    private static async Task<IReadOnlyList<Figure>> WritesAsync(TrackingLoad ours, TrackingLoad? theirs)
    {
        // Until the compilers of both sides have nothing left to do: half of what a busy machine would measure is theirs.
        for (var i = 0; i < WarmUps; i++)
        {
            await ours.CreateRunsAsync(8);
            await ours.LogMetricsAsync(8);
            await ours.LogBatchesAsync(4);
        }

        return
        [
            .. await WriteAsync("create-run.8-clients", ours, theirs, load => load.CreateRunsAsync(8)),
            .. await WriteAsync("log-metric.8-clients", ours, theirs, load => load.LogMetricsAsync(8)),
            .. await WriteAsync("log-batch-1000.4-clients.per-metric", ours, theirs, load => load.LogBatchesAsync(4)),
        ];
    }

    /// <summary>The time of a call, and how much of the server's processor time a request takes: the one that tells on a machine that has other work.</summary>
    private static async Task<IEnumerable<Figure>> WriteAsync(string name, TrackingLoad ours, TrackingLoad? theirs, Func<TrackingLoad, Task<double>> measure)
    {
        List<double> spent = [];
        var figure = await MedianAsync(name, "us", ours, theirs, async load =>
        {
            var took = await measure(load);
            if (load == ours)
            {
                spent.Add(load.LastProcessorTime);
            }

            return took;
        });
        var server = Figure.Of(name.Replace(".per-metric", "", StringComparison.Ordinal) + ".server-cpu", "us", spent[1..]);
        await Console.Error.WriteLineAsync(server.ToString());
        return [figure, server];
    }

    private static async Task<IReadOnlyList<Figure>> SearchesAsync(TrackingLoad ours, TrackingLoad? theirs)
    {
        await Task.WhenAll(ours.SeedAsync(0, 10_000), theirs?.SeedAsync(0, 10_000) ?? Task.CompletedTask);
        var figures = await SearchesAsync("10000", ours, theirs);
        await ours.SeedAsync(10_000, 100_000);
        return [.. figures, .. await SearchesAsync("100000", ours, theirs: null)];
    }

    private static async Task<IReadOnlyList<Figure>> SearchesAsync(string runs, TrackingLoad ours, TrackingLoad? theirs)
    {
        var figures = new List<Figure>();
        foreach (var (name, more, found) in Searches)
        {
            figures.Add(await MedianAsync($"search-100-of-{runs}.{name}", "ms", ours, theirs, load => load.SearchAsync(more, found)));
        }

        return figures;
    }

    private static async Task<IReadOnlyList<Figure>> ChartsAsync(TrackingLoad ours, TrackingLoad? theirs) =>
    [
        await ChartAsync("chart-320-of-100000", 100_000, ours, theirs),
        await ChartAsync("chart-320-of-10000000", 10_000_000, ours, theirs: null),
    ];

    private static async Task<Figure> ChartAsync(string name, int points, TrackingLoad ours, TrackingLoad? theirs)
    {
        var runs = new Dictionary<TrackingLoad, string> { [ours] = await ours.SeriesAsync(points) };
        if (theirs is not null)
        {
            runs[theirs] = await theirs.SeriesAsync(points);
        }

        return await MedianAsync(name, "ms", ours, theirs, load => load.ChartAsync(runs[load]));
    }

    private static async Task<TrackingLoad> LoadAsync(HttpClient http, Func<double>? processorTime)
    {
        var client = new MlflowClient(http);
        return new TrackingLoad(client, await client.ExperimentAsync($"bench-{Guid.NewGuid():N}")) { ProcessorTime = processorTime };
    }

    private static async Task<Figure> MedianAsync(string name, string unit, TrackingLoad ours, TrackingLoad? theirs, Func<TrackingLoad, Task<double>> measure)
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
