using System.ComponentModel;
using System.Diagnostics;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>
/// The first page of the jobs list at 100,000 jobs, by every filter. 100 jobs are made by the API; <c>seed.py</c> repeats their rows a thousand times while the
/// server is down, as 100,000 submissions would take most of an hour.
/// </summary>
internal static class JobLists
{
    private const int Runs = 5;

    private const int Jobs = 100;

    private const int Copies = 999;

    private static readonly (string Name, string Query)[] Lists =
    [
        ("all", ""),
        ("by-type", "?jobType=Command"),
        ("by-type-without-any", "?jobType=Pipeline"),
        ("by-tag-of-half", "?tag=parity%3Dodd"),
        ("by-tag-of-few", "?tag=rare"),
        ("by-tag-of-none", "?tag=absent"),
        ("by-property-of-none", "?properties=absent"),
        ("archived", "?listViewType=ArchivedOnly"),
        ("modified-first", "?$orderBy=modifiedtime%20desc"),
        ("by-name", "?$orderBy=name"),
    ];

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string data)
    {
        await using (var server = await ZaffreServer.StartAsync(program, data))
        {
            using var client = await JobClient.ConnectAsync(server);
            for (var job = 0; job < Jobs; job++)
            {
                // Of a thousand copies of the first job each has the rare tag: far behind every other job that is newer.
                var tags = job == 0 ? "{\"rare\":\"1\",\"parity\":\"even\"}" : $"{{\"parity\":\"{(job % 2 == 0 ? "even" : "odd")}\"}}";
                await client.RunTrueAsync($"seed{job:000}", $",\"tags\":{tags},\"isArchived\":{(job == 1 ? "true" : "false")}");
            }
        }

        await SeedAsync(Path.Combine(data, "zaffre.db"));
        await using var full = await ZaffreServer.StartAsync(program, data);
        using var reader = await JobClient.ConnectAsync(full);
        var times = Lists.ToDictionary(list => list.Name, _ => new List<double>(), StringComparer.Ordinal);
        for (var run = -3; run < Runs; run++)
        {
            foreach (var (name, query) in Lists)
            {
                var began = Stopwatch.GetTimestamp();
                await reader.GetAsync("jobs" + query);
                if (run >= 0)
                {
                    times[name].Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            }
        }

        return [.. Lists.Select(list => Figure.Of("list.100000." + list.Name, "ms", times[list.Name]))];
    }

    private static async Task SeedAsync(string database)
    {
        var script = Path.Combine(Environment.GetEnvironmentVariable("ZAFFRE_HOME") ?? Directory.GetCurrentDirectory(), "benchmarks/Jobs/seed.py");
        try
        {
            using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", [script, database, $"{Copies}"]) { UseShellExecute = false })!;
            await python.WaitForExitAsync();
            if (python.ExitCode != 0)
            {
                throw new InvalidOperationException("seed.py failed.");
            }
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException(exception.Message, exception);
        }
    }
}
