using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>A command job <c>true</c>, one after the other: from its 201 to running and to completed, and the server's processor time for it.</summary>
internal static class SingleJobs
{
    private const int Runs = 5;

    private const int JobsPerRun = 100;

    private const int WarmUpJobs = 100;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, data);
        using var client = await JobClient.ConnectAsync(server);
        for (var job = 0; job < WarmUpJobs; job++)
        {
            await client.RunTrueAsync($"warm-up-{job}");
        }

        List<double> running50 = [], running99 = [], completed50 = [], completed99 = [], processor = [];
        for (var run = 0; run < Runs; run++)
        {
            List<double> running = [], completed = [];
            var before = server.ProcessorTime();
            for (var job = 0; job < JobsPerRun; job++)
            {
                var times = await client.RunTrueAsync($"run-{run}-{job}");
                running.Add(times.Running);
                completed.Add(times.Completed);
            }

            processor.Add((server.ProcessorTime() - before).TotalMilliseconds / JobsPerRun);
            running50.Add(Figure.Percentile(running, 0.5));
            running99.Add(Figure.Percentile(running, 0.99));
            completed50.Add(Figure.Percentile(completed, 0.5));
            completed99.Add(Figure.Percentile(completed, 0.99));
        }

        return
        [
            Figure.Of("job.accepted-to-running.p50", "ms", running50),
            Figure.Of("job.accepted-to-running.p99", "ms", running99),
            Figure.Of("job.accepted-to-completed.p50", "ms", completed50),
            Figure.Of("job.accepted-to-completed.p99", "ms", completed99),
            Figure.Of("job.server-cpu", "ms", processor),
        ];
    }
}
