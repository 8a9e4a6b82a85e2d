using System.Diagnostics;
using Zaffre.Benchmarks.Core;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>
/// What a job costs that waits in a queue of 10,000, and in one of 100: to submit it, and to bring it to its end. A compute with one place is
/// held by a job while the queue fills; then 100 of them at a time are timed while the others wait.
/// </summary>
internal static class LongQueue
{
    private const int Runs = 5;

    private const int Step = 100;

    private const int Long = 10_000;

    private const int Senders = 4;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string data)
    {
        var (shortSubmitted, shortRun, shortCpu) = await ShortAsync(program, Path.Combine(data, "short"));
        var (longSubmitted, longRun, longCpu) = await LongAsync(program, Path.Combine(data, "long"));
        return
        [
            Compare("queue.10000.per-job", longRun, shortRun),
            Compare("queue.10000.server-cpu", longCpu, shortCpu),
            Compare("queue.10000.submit", longSubmitted, shortSubmitted),
        ];
    }

    // The budget is on the ratio itself: how many times as much as in a queue of 100.
    private static Figure Compare(string name, List<double> @long, List<double> @short)
    {
        var figure = Figure.Of(name, "ms", @long);
        var other = Figure.Percentile(@short, 0.5);
        return figure with { Peer = Math.Round(other, 4), PeerName = "queue of 100", Ratio = Math.Round(other / figure.Value, 3) };
    }

    private static async Task<(List<double> Submitted, List<double> Run, List<double> Cpu)> ShortAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, data);
        using var client = await JobClient.ConnectAsync(server);
        await NarrowAsync(client);
        List<double> submitted = [], run = [], cpu = [];
        for (var round = -1; round < Runs; round++)
        {
            var took = await FillAsync(client, $"short{round}", Step);
            var (each, processor) = await TimeAsync(server, client, $"short{round}", 0);
            if (round >= 0)
            {
                submitted.Add(took);
                run.Add(each);
                cpu.Add(processor);
            }
        }

        return (submitted, run, cpu);
    }

    private static async Task<(List<double> Submitted, List<double> Run, List<double> Cpu)> LongAsync(string program, string data)
    {
        await using var server = await ZaffreServer.StartAsync(program, data);
        using var client = await JobClient.ConnectAsync(server);
        await NarrowAsync(client);
        await FillAsync(client, "warm-up", Step);
        await TimeAsync(server, client, "warm-up", 0);
        var submitted = await FillAsync(client, "long", Long);
        List<double> run = [], cpu = [];
        for (var round = -1; round < Runs; round++)
        {
            var (each, processor) = await TimeAsync(server, client, "long", (round + 1) * Step);
            if (round >= 0)
            {
                run.Add(each);
                cpu.Add(processor);
            }
        }

        return ([submitted], run, cpu);
    }

    private static Task NarrowAsync(JobClient client) => client.PutAsync(
        "computes/narrow", """{"location":"local","properties":{"computeType":"AmlCompute","properties":{"scaleSettings":{"maxNodeCount":1}}}}""");

    /// <summary>Holds the compute and fills its queue; milliseconds for each job.</summary>
    private static async Task<double> FillAsync(JobClient client, string name, int count)
    {
        await client.PutJobAsync($"{name}-holds", "\"command\":\"sleep 3600\",\"computeId\":\"narrow\"");
        while (await client.StatusAsync($"{name}-holds") != "Running")
        {
            await Task.Delay(1);
        }

        var began = Stopwatch.GetTimestamp();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(async _ =>
        {
            // In the order of submission but for what the senders have under way at once.
            for (var number = Interlocked.Increment(ref next); number < count; number = Interlocked.Increment(ref next))
            {
                await client.PutJobAsync($"{name}-{number}", "\"command\":\"true\",\"computeId\":\"narrow\"");
            }
        }));
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds / count;
    }

    /// <summary>Milliseconds, and of the server's processor, for each of 100 jobs from <paramref name="from"/> on.</summary>
    private static async Task<(double Wall, double Cpu)> TimeAsync(ZaffreServer server, JobClient client, string name, int from)
    {
        if (from == 0)
        {
            await client.CancelAsync($"{name}-holds");
        }

        // The first few stand for the beginning, so that what is timed is the queue and not the end of the job that held it.
        await client.EndAsync($"{name}-{from + (2 * Senders)}");
        var (began, before) = (Stopwatch.GetTimestamp(), server.ProcessorTime());
        await client.EndAsync($"{name}-{from + Step - Senders - 1}");
        const int timed = Step - (3 * Senders) - 1;
        return (Stopwatch.GetElapsedTime(began).TotalMilliseconds / timed, (server.ProcessorTime() - before).TotalMilliseconds / timed);
    }
}
