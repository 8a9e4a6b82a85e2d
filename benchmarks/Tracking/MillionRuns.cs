using System.Diagnostics;
using System.Globalization;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>
/// Pages of searches over a million runs in ten experiments, half of them in the first: by every kind of order, the first page and one deep inside. <c>million.py</c> writes the
/// runs into the tables while the server is down.
/// </summary>
internal static class MillionRuns
{
    private const int Repeats = 9;
    private const int DeepPages = 50;

    private static readonly (string Name, string Order)[] Orders =
    [
        ("default", ""),
        ("by-metric", "metrics.m1 DESC"),
        ("by-param", "params.p1 ASC"),
        ("by-tag", "tags.t0 DESC"),
        ("by-name", "attributes.run_name ASC"),
        ("by-start-time", "attributes.start_time ASC"),
        ("by-end-time", "attributes.end_time DESC"),
        ("by-status", "attributes.status ASC"),
        ("by-user", "attributes.user_id ASC"),
        ("by-run-id", "attributes.run_id ASC"),
    ];

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string root, string program, string folder)
    {
        List<string> experiments = [];
        await using (var server = await ZaffreServer.StartAsync(program, folder))
        {
            using var jobs = await JobClient.ConnectAsync(server);
            var client = new MlflowClient(jobs.Http);
            for (var i = 0; i < 10; i++)
            {
                experiments.Add(await client.ExperimentAsync($"million-{i}"));
            }
        }

        await FillAsync(root, folder, experiments);
        await using var full = await ZaffreServer.StartAsync(program, folder);
        using var http = await JobClient.ConnectAsync(full);
        var reader = new MlflowClient(http.Http);
        List<Figure> figures = [];
        foreach (var (name, order) in Orders)
        {
            figures.AddRange(await OrderAsync(reader, "million." + name, [experiments[0]], order));
            figures.AddRange(await OrderAsync(reader, "million.10-experiments." + name, experiments, order));
        }

        return figures;
    }

    private static async Task<IEnumerable<Figure>> OrderAsync(MlflowClient client, string name, IReadOnlyList<string> experiments, string order)
    {
        var more = order.Length == 0 ? "" : $",\"order_by\":[\"{order}\"]";
        string? token = null;
        for (var page = 0; page < DeepPages; page++)
        {
            token = (await client.SearchAsync(experiments, more, token)).Next;
        }

        Figure[] figures = [Figure.Of(name, "ms", await PagesAsync(client, experiments, more, null)), Figure.Of(name + ".page-51", "ms", await PagesAsync(client, experiments, more, token))];
        foreach (var figure in figures)
        {
            await Console.Error.WriteLineAsync(figure.ToString());
        }

        return figures;
    }

    private static async Task<List<double>> PagesAsync(MlflowClient client, IReadOnlyList<string> experiments, string more, string? token)
    {
        List<double> times = [];
        for (var i = -1; i < Repeats; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var (runs, _) = await client.SearchAsync(experiments, more, token);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (runs != 100)
            {
                throw new InvalidOperationException($"A page of {runs} runs: {more}");
            }
        }

        return times[1..];
    }

    private static async Task FillAsync(string root, string folder, IReadOnlyList<string> experiments)
    {
        var began = Stopwatch.GetTimestamp();
        using var python = Process.Start(new ProcessStartInfo(
            "/usr/bin/python3", [Path.Combine(root, "benchmarks/Tracking/million.py"), Path.Combine(folder, "zaffre.db"), .. experiments]) { UseShellExecute = false })!;
        await python.WaitForExitAsync();
        if (python.ExitCode != 0)
        {
            throw new InvalidOperationException("million.py failed.");
        }

        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"filled in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s"));
    }
}
