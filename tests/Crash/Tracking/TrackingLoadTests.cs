using System.Diagnostics;
using System.Globalization;
using Zaffre.Tests.Clients;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>Two hundred clients at once: most write, and compare what is there with what was acknowledged to them; the others search what these write.</summary>
public sealed class TrackingLoadTests : IAsyncLifetime
{
    private const int Clients = 200;
    private const int Readers = 32;
    private const int MinutesInCi = 1;

    /// <summary>After so many changes a client compares; after some such rounds it begins with something new, so that comparing stays cheap.</summary>
    private const int ChangesBetweenChecks = 25;

    private const int ChecksOfClient = 4;

    /// <summary>What the server may take at the end beyond twice what it took when everybody had begun.</summary>
    private const long Slack = 200L << 20;

    private readonly ZaffreServer server = new();
    private int changes;
    private int checks;
    private int reads;

    public Task InitializeAsync() => server.InitializeAsync();

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Two_hundred_clients_at_once_lose_nothing_see_no_error_and_leave_the_servers_memory_bounded()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
        var length = TimeSpan.FromMinutes(int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : MinutesInCi);
        Console.WriteLine($"tracking load test: {Clients} clients for {length}, seed {seed} (ZAFFRE_SEED={seed})");
        var token = await server.TokenAsync();
        using var stop = new CancellationTokenSource(length);
        var (failed, began) = (new CancellationTokenSource(), Stopwatch.StartNew());
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, failed.Token);
        var clients = Enumerable.Range(0, Clients).Select(i => RunAsync(i, new Random(seed + i), token, either.Token)).ToList();
        var all = Task.WhenAll(clients.Select(client => client.ContinueWith(ended => ended.IsFaulted ? failed.CancelAsync() : Task.CompletedTask, TaskScheduler.Default)));
        await Task.WhenAny(all, Task.Delay(length / 4));
        var before = Memory();
        await all;
        var after = Memory();
        failed.Dispose();
        Console.WriteLine($"tracking load test: {changes} changes, {checks} comparisons, {reads} reads in {began.Elapsed}; the server took {before >> 20} MB, and {after >> 20} MB in the end");
        await Task.WhenAll(clients);
        Assert.InRange(after, 0, (2 * before) + Slack);
        Assert.True(checks >= Clients - Readers, $"only {checks} comparisons were made");
    }

    private async Task RunAsync(int number, Random random, string token, CancellationToken ct)
    {
        using var wire = new TrackingWire(server.Client(token));
        try
        {
            if (number < Readers)
            {
                await ReadAsync(wire, new TrackingReader(random.Next(), server.Workspace), random, ct);
            }
            else
            {
                await WriteAsync(wire, number, random, ct);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new InvalidOperationException($"client {number}: {exception.Message}", exception);
        }
    }

    private async Task ReadAsync(TrackingWire wire, TrackingReader reader, Random random, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await reader.ReadAsync(wire);
            Interlocked.Increment(ref reads);
            await PauseAsync(random, ct);
        }
    }

    private async Task WriteAsync(TrackingWire wire, int number, Random random, CancellationToken ct)
    {
        for (var round = 0; !ct.IsCancellationRequested; round++)
        {
            var client = New(number, $"load-{number}-{round}", random.Next());
            await client.SetUpAsync(wire);
            for (var check = 0; check < ChecksOfClient && !ct.IsCancellationRequested; check++)
            {
                for (var change = 0; change < ChangesBetweenChecks && !ct.IsCancellationRequested; change++)
                {
                    await client.WorkAsync(wire);
                    Interlocked.Increment(ref changes);
                    await PauseAsync(random, ct);
                }

                await client.CheckAsync(wire);
                Interlocked.Increment(ref checks);
            }
        }
    }

    private TrackingClient New(int number, string name, int seed) => (number % 8) switch
    {
        0 or 1 => new MetricsClient(name, seed),
        2 => new RunsClient(name, seed),
        3 => new RegistryClient(name, seed, server.Workspace),
        4 => new TracesClient(name, seed),
        5 => new ArtifactsClient(name, seed),
        6 => new LoggedModelsClient(name, seed),
        _ => new ExperimentsClient(name, seed),
    };

    // What a client does between two calls; the other tests of this project run meanwhile.
    private static Task PauseAsync(Random random, CancellationToken ct) =>
        Task.Delay(random.Next(400), ct).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Bytes of the server's process that are in memory.</summary>
    private long Memory()
    {
        using var process = Process.GetProcessById(server.State.GetProperty("pid").GetInt32());
        return process.WorkingSet64;
    }
}
