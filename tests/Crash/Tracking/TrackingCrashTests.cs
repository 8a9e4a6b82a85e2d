using System.Globalization;
using Zaffre.Tests.Clients;

namespace Zaffre.Tests.Crash.Tracking;

/// <summary>The server is killed at random moments while clients log, register, trace and upload.</summary>
public sealed class TrackingCrashTests : IAsyncLifetime
{
    private const int KillsInCi = 10;

    /// <summary>After so many kills new clients begin with nothing: what a client knows is compared whole after every kill.</summary>
    private const int KillsOfClients = 20;

    // Python's library reads the file by itself: every index against its table.
    private const string CheckDatabase = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])";

    private readonly ZaffreServer server = new();

    public Task InitializeAsync() => server.InitializeAsync();

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task What_was_acknowledged_is_there_once_and_of_what_was_not_all_or_nothing()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;
        var kills = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : KillsInCi;
        Console.WriteLine($"tracking crash test: {kills} kills, seed {seed} (ZAFFRE_SEED={seed})");
        var random = new Random(seed);
        var (acknowledged, repeated) = (0, 0);
        for (var first = 0; first < kills; first += KillsOfClients)
        {
            var clients = Clients(first, random);
            try
            {
                await RoundsAsync(clients, Math.Min(KillsOfClients, kills - first), random);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"in the kills from {first + 1} on of seed {seed} (ZAFFRE_SEED={seed}): {exception.Message}", exception);
            }

            acknowledged += clients.Sum(client => client.Acknowledged);
            repeated += clients.Sum(client => client.Repeated);
            Assert.All(clients, client => Assert.True(client.Acknowledged > 0, $"nothing of {client.Name} was acknowledged: the kills came before anything could happen"));
        }

        Console.WriteLine($"tracking crash test: {acknowledged} changes were acknowledged, {repeated} sent again after their answer was lost");
        Assert.True(acknowledged > kills * 10, $"only {acknowledged} changes were acknowledged");
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Data, "blobs", ".tmp")));
        var integrity = await ZaffreBinary.RunProgramAsync("/usr/bin/python3", ["-c", CheckDatabase, Path.Combine(server.Data, "zaffre.db")]);
        Assert.Equal("ok", integrity.Succeeded().Output.Trim());
    }

    private List<TrackingClient> Clients(int round, Random random) =>
    [
        .. Enumerable.Range(0, 2).SelectMany(i => new TrackingClient[]
        {
            new MetricsClient($"metrics-{round}-{i}", random.Next()),
            new RunsClient($"runs-{round}-{i}", random.Next()),
            new RegistryClient($"registry-{round}-{i}", random.Next(), server.Workspace),
            new TracesClient($"traces-{round}-{i}", random.Next()),
            new ArtifactsClient($"artifacts-{round}-{i}", random.Next()),
            new LoggedModelsClient($"models-{round}-{i}", random.Next()),
            new ExperimentsClient($"experiments-{round}-{i}", random.Next()),
        }),
    ];

    private async Task RoundsAsync(List<TrackingClient> clients, int kills, Random random)
    {
        var token = await server.TokenAsync();
        using (var wire = new TrackingWire(server.Client(token)))
        {
            await Task.WhenAll(clients.Select(client => client.SetUpAsync(wire)));
        }

        for (var kill = 0; kill < kills; kill++)
        {
            using (var wire = new TrackingWire(server.Client(token)))
            {
                // At any moment after the first changes were acknowledged.
                var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var left = random.Next(1, 150);
                var working = clients.Select(client => client.WorkAsync(wire, () => _ = Interlocked.Decrement(ref left) > 0 || enough.TrySetResult())).ToList();
                await Task.WhenAny(Task.WhenAny(working), enough.Task);
                await Task.Delay(random.Next(0, 20));
                await server.KillAsync();
                await Task.WhenAll(working);
            }

            await server.StartAsync();
            using var reader = new TrackingWire(server.Client(token));
            await Task.WhenAll(clients.Select(client => client.CheckAsync(reader)));
        }
    }
}
