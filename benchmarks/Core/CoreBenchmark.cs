using System.Diagnostics;

namespace Zaffre.Benchmarks.Core;

/// <summary>Start, idle memory, the latency of a command job <c>true</c>, the CLI, and what a test run takes.</summary>
internal static class CoreBenchmark
{
    private const int Runs = 5;

    private const int JobsPerRun = 100;

    private const int WarmUpJobs = 20;

    public static async Task<IReadOnlyList<Figure>> RunAsync(string root)
    {
        var program = Path.Combine(root, "artifacts/zaffre/current/zaffre");
        var figures = new List<Figure>();
        var data = Directory.CreateTempSubdirectory("zaffre-bench-").FullName;
        try
        {
            figures.AddRange(await TryAsync("starts", () => StartsAsync(program, data)));
            figures.AddRange(await TryAsync("jobs", () => JobsAsync(program, Path.Combine(data, "jobs"))));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        figures.AddRange(await TestRun.FiguresAsync(root));
        return figures;
    }

    // A part that cannot be measured says why; the other figures stand.
    private static async Task<IReadOnlyList<Figure>> TryAsync(string part, Func<Task<IReadOnlyList<Figure>>> measure)
    {
        try
        {
            return await measure();
        }
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or IOException)
        {
            await Console.Error.WriteLineAsync($"not measured: {part}: {exception.Message}");
            return [];
        }
    }

    private static async Task<IReadOnlyList<Figure>> StartsAsync(string program, string data)
    {
        List<double> first = [], again = [], memory = [];
        await StartAsync(program, Path.Combine(data, "warm-up"));
        for (var run = 0; run < Runs; run++)
        {
            var folder = Path.Combine(data, $"start-{run}");
            first.Add(await StartAsync(program, folder));
            again.Add(await StartAsync(program, folder, memory));
        }

        return [Figure.Of("start.first", "s", first), Figure.Of("start.again", "s", again), Figure.Of("idle-memory", "MB", memory)];
    }

    private static async Task<double> StartAsync(string program, string data, List<double>? memory = null)
    {
        await using var server = await ZaffreServer.StartAsync(program, data);
        if (memory is not null)
        {
            await Task.Delay(TimeSpan.FromSeconds(5));
            memory.Add(server.MemoryInMegabytes());
        }

        return server.Start.TotalSeconds;
    }

    private static async Task<IReadOnlyList<Figure>> JobsAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, data);
        using var client = await JobClient.ConnectAsync(server);
        await BatchAsync(client, "warm-up", WarmUpJobs);
        List<double> running50 = [], running99 = [], completed50 = [], completed99 = [], show = [];
        for (var run = 0; run < Runs; run++)
        {
            var times = await BatchAsync(client, $"run-{run}", JobsPerRun);
            running50.Add(Figure.Percentile(times.Select(time => time.Running), 0.5));
            running99.Add(Figure.Percentile(times.Select(time => time.Running), 0.99));
            completed50.Add(Figure.Percentile(times.Select(time => time.Completed), 0.5));
            completed99.Add(Figure.Percentile(times.Select(time => time.Completed), 0.99));
            var began = Stopwatch.GetTimestamp();
            await server.RunAsync("job", "show", "--name", $"run-{run}-0");
            show.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return
        [
            Figure.Of("job.accepted-to-running.p50", "ms", running50),
            Figure.Of("job.accepted-to-running.p99", "ms", running99),
            Figure.Of("job.accepted-to-completed.p50", "ms", completed50),
            Figure.Of("job.accepted-to-completed.p99", "ms", completed99),
            Figure.Of("cli.job-show", "s", show),
        ];
    }

    private static async Task<List<(double Running, double Completed)>> BatchAsync(JobClient client, string name, int count)
    {
        var times = new List<(double, double)>();
        for (var number = 0; number < count; number++)
        {
            times.Add(await client.RunTrueAsync($"{name}-{number}"));
        }

        return times;
    }
}
