using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>
/// Jobs and pipelines: latency of one job, graphs beside Snakemake and GNU make, long queues, a reused pipeline, lists of 100,000 jobs, a large
/// input. Parts can be named after the benchmark: <c>./zaffre bench jobs single graphs</c>.
/// </summary>
internal static class JobsBenchmark
{
    private static readonly (string Name, Func<string, string, Task<IReadOnlyList<Figure>>> Measure)[] Parts =
    [
        ("single", SingleJobs.MeasureAsync),
        ("graphs", GraphRuns.MeasureAsync),
        ("reuse", ReusedPipeline.MeasureAsync),
        ("input", LargeInput.MeasureAsync),
        ("queue", LongQueue.MeasureAsync),
        ("list", JobLists.MeasureAsync),
    ];

    public static async Task<IReadOnlyList<Figure>> RunAsync(string root)
    {
        var program = Path.Combine(root, "artifacts/zaffre/current/zaffre");
        var wanted = Environment.GetCommandLineArgs().SkipWhile(argument => argument != "jobs").Skip(1).ToList();
        var folder = Directory.CreateTempSubdirectory("zaffre-bench-").FullName;

        // The jobs' user, who is not the server's, crosses this folder.
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        var figures = new List<Figure>();
        try
        {
            foreach (var (name, measure) in Parts.Where(part => wanted.Count == 0 || wanted.Contains(part.Name, StringComparer.Ordinal)))
            {
                figures.AddRange(await TryAsync(name, () => measure(program, Path.Combine(folder, name))));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

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
}
