using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Zaffre.Benchmarks.Tracking;

/// <summary>The loads, against whichever server <paramref name="client"/> speaks to.</summary>
internal sealed class TrackingLoad(MlflowClient client, string experiment)
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    private static readonly string[] Names = [.. Enumerable.Range(0, 10).Select(i => "metric" + i.ToString(CultureInfo.InvariantCulture))];

    private int runs;

    /// <summary>The server's processor time when it can be asked for, in microseconds.</summary>
    public Func<double>? ProcessorTime { get; init; }

    /// <summary>Microseconds of the server's processor time for a call of the last load.</summary>
    public double LastProcessorTime { get; private set; }

    /// <summary>Microseconds of one create-run, with so many clients at once.</summary>
    public Task<double> CreateRunsAsync(int clients) => EachAsync(clients, async _ => await CreateAsync());

    /// <summary>Microseconds of one log-metric, each client to a run of its own.</summary>
    public async Task<double> LogMetricsAsync(int clients)
    {
        var own = await OwnAsync(clients);
        return await EachAsync(clients, call => client.LogMetricAsync(own[call.Client], "loss", 1.0 / (call.Number + 1), call.Number));
    }

    /// <summary>Microseconds of one metric of log-batches with 1,000 metrics of ten names.</summary>
    public async Task<double> LogBatchesAsync(int clients)
    {
        var own = await OwnAsync(clients);
        return await EachAsync(clients, call => client.LogMetricsAsync(own[call.Client], Batch(call.Number))) / 1000;
    }

    /// <summary>Runs with ten params, ten metrics and five tags, until there are so many.</summary>
    public async Task SeedAsync(int from, int to)
    {
        var next = from - 1;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (var number = Interlocked.Increment(ref next); number < to; number = Interlocked.Increment(ref next))
            {
                await client.LogBatchAsync(Contents(await CreateAsync(), number));
            }
        }));
    }

    /// <summary>Milliseconds of one search, the first ones left out; every search must find <paramref name="found"/> runs.</summary>
    public async Task<double> SearchAsync(string more, int found = 100)
    {
        const int Calls = 15;
        List<double> times = [];
        for (var call = -3; call < Calls; call++)
        {
            var began = Stopwatch.GetTimestamp();
            var (count, _) = await client.SearchAsync([experiment], more);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (count != found)
            {
                throw new InvalidOperationException($"A search found {count} runs instead of {found}: {more}");
            }
        }

        return Figure.Percentile(times.Skip(3), 0.5);
    }

    /// <summary>A run with one metric of so many points.</summary>
    public async Task<string> SeriesAsync(int points)
    {
        var run = await CreateAsync();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            for (var part = Interlocked.Increment(ref next); part < points / 1000; part = Interlocked.Increment(ref next))
            {
                await client.LogPointsAsync(run, "loss", part * 1000L, 1000);
            }
        }));
        return run;
    }

    /// <summary>Milliseconds of a chart of 320 points.</summary>
    public async Task<double> ChartAsync(string run)
    {
        const int Calls = 15;
        List<double> times = [];
        for (var call = -3; call < Calls; call++)
        {
            var began = Stopwatch.GetTimestamp();
            if (await client.ChartAsync(run, "loss") < 320)
            {
                throw new InvalidOperationException("The chart has too few points.");
            }

            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return Figure.Percentile(times.Skip(3), 0.5);
    }

    private Task<string> CreateAsync() => client.CreateRunAsync(experiment, $"run-{Interlocked.Increment(ref runs)}");

    private async Task<string[]> OwnAsync(int clients) => await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => CreateAsync()));

    private async Task<double> EachAsync(int clients, Func<(int Client, int Number), Task> call)
    {
        var calls = 0;
        var spent = ProcessorTime?.Invoke() ?? 0;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async own =>
        {
            for (var number = 0; Stopwatch.GetElapsedTime(began) < Length; number++)
            {
                await call((own, number));
                Interlocked.Increment(ref calls);
            }
        }));
        var took = Stopwatch.GetElapsedTime(began).TotalMicroseconds / calls;
        LastProcessorTime = ((ProcessorTime?.Invoke() ?? 0) - spent) / calls;
        return took;
    }

    private static IEnumerable<(string Key, double Value, long Step)> Batch(int number) =>
        Enumerable.Range(0, 1000).Select(i => (Names[i % 10], (i * 0.37) + number, (number * 100L) + (i / 10)));

    private static string Contents(string run, int number)
    {
        var body = new StringBuilder($$"""{"run_id":"{{run}}","metrics":[""");
        for (var i = 0; i < 10; i++)
        {
            // Spread over the runs without order, as results are.
            var value = (number * 7919L * (i + 1)) % 1_000_003 / 1_000_003.0;
            body.Append(CultureInfo.InvariantCulture, $$"""{{(i == 0 ? "" : ",")}}{"key":"m{{i}}","value":{{value:R}},"timestamp":1700000000000,"step":0}""");
        }

        body.Append("],\"params\":[").AppendJoin(',', Enumerable.Range(0, 10).Select(i => $$"""{"key":"p{{i}}","value":"{{(number + i) % 50}}"}"""));
        return body.Append("],\"tags\":[").AppendJoin(',', Enumerable.Range(0, 5).Select(i => $$"""{"key":"t{{i}}","value":"{{(number + i) % 20}}"}""")).Append("]}").ToString();
    }
}
