using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Zaffre.Tests.Clients;

namespace Zaffre.Tests.Crash.Storage;

/// <summary>Blobs written while the server is killed: what was acknowledged is there whole, with its metadata; what was not is there whole or not at all.</summary>
public sealed class BlobCrashTests : IAsyncLifetime
{
    private const int KillsInCi = 20;
    private const int Writers = 4;
    private readonly ZaffreServer server = new();
    private readonly int seed = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Environment.TickCount;

    /// <summary>Per name, the versions that a reader may find: the last acknowledged one and those sent after it.</summary>
    private readonly ConcurrentDictionary<string, (int? Acknowledged, List<int> Sent)> names = new(StringComparer.Ordinal);

    public Task InitializeAsync() => server.InitializeAsync();

    public Task DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Acknowledged_blobs_survive_kills_at_random_moments()
    {
        var kills = int.TryParse(Environment.GetEnvironmentVariable("ZAFFRE_SOAK"), CultureInfo.InvariantCulture, out var soak) ? soak : KillsInCi;
        Console.WriteLine($"blob crash test: {kills} kills, seed {seed} (ZAFFRE_SEED={seed})");
        var random = new Random(seed);
        var token = await StorageTokenAsync();
        var container = Container();
        var version = 0;
        for (var kill = 0; kill < kills; kill++)
        {
            using (var client = Client(token))
            {
                using var stop = new CancellationTokenSource();
                var writers = Enumerable.Range(0, Writers).Select(writer => WriteAsync(client, container, writer, () => Interlocked.Increment(ref version), stop.Token)).ToList();
                await Task.Delay(random.Next(30, 400));
                await server.KillAsync();
                await stop.CancelAsync();
                await Task.WhenAll(writers);
            }

            await server.StartAsync();
            using var reader = Client(token);
            foreach (var name in names.Keys)
            {
                await CheckAsync(reader, container, name);
            }
        }

        var acknowledged = names.Values.Count(n => n.Acknowledged is not null);
        Assert.True(acknowledged > kills, $"seed {seed}: only {acknowledged} blobs were acknowledged");
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Data, "blobs", ".tmp")));
    }

    // Each writer has names of its own and writes some of them again and again.
    private async Task WriteAsync(HttpClient client, string container, int writer, Func<int> next, CancellationToken ct)
    {
        try
        {
            while (!ct.IsCancellationRequested)
            {
                var version = next();
                var name = version % 3 == 0 ? $"crash/{writer}/again" : $"crash/{writer}/{version}";
                names.AddOrUpdate(name, (null, [version]), (_, before) => (before.Acknowledged, [.. before.Sent, version]));
                using var request = new HttpRequestMessage(HttpMethod.Put, new Uri($"{container}/{name}", UriKind.Relative)) { Content = new ByteArrayContent(Content(version)) };
                request.Headers.Add("x-ms-blob-type", "BlockBlob");
                request.Headers.Add("x-ms-meta-version", $"{version}");
                using var answer = await client.SendAsync(request, ct);
                Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
                names[name] = (version, [version]);
            }
        }
        catch (HttpRequestException)
        {
            // The server was killed under the request, which is the point.
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    private async Task CheckAsync(HttpClient client, string container, string name)
    {
        var (acknowledged, sent) = names[name];
        using var answer = await client.GetAsync(new Uri($"{container}/{name}", UriKind.Relative));
        if (acknowledged is null && answer.StatusCode == HttpStatusCode.NotFound)
        {
            return;
        }

        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"seed {seed}: {name} is {answer.StatusCode}");
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        var found = sent.Append(acknowledged ?? -1).FirstOrDefault(v => v >= 0 && Content(v).AsSpan().SequenceEqual(bytes), -1);
        Assert.True(found >= 0, $"seed {seed}: {name} has {bytes.Length} bytes of no version that it may have");

        // A version that nobody acknowledged may have lost its row, never have that of another.
        var metadata = answer.Headers.TryGetValues("x-ms-meta-version", out var values) ? values.Single() : null;
        Assert.True(metadata == $"{found}" || (metadata is null && found != acknowledged), $"seed {seed}: {name} is version {found} with metadata '{metadata}'");
        names[name] = (metadata is null ? null : found, [found]);
    }

    private static byte[] Content(int version)
    {
        var bytes = new byte[1 + (version * 7919 % 150_000)];
        new Random(version).NextBytes(bytes);
        return bytes;
    }

    private HttpClient Client(string token)
    {
        var client = server.Client(token);
        client.DefaultRequestHeaders.Add("x-ms-version", "2021-12-02");
        return client;
    }

    /// <summary>The path of the default datastore's container, which lies below the data directory.</summary>
    private string Container()
    {
        var account = Directory.EnumerateDirectories(Path.Combine(server.Data, "blobs")).Select(Path.GetFileName).Single(name => name![0] != '.')!;
        var container = Directory.EnumerateDirectories(Path.Combine(server.Data, "blobs", account)).Select(Path.GetFileName).Order(StringComparer.Ordinal).First()!;
        return $"/blobz/{account}/{container}";
    }

    private async Task<string> StorageTokenAsync()
    {
        using var client = server.Client();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = server.Owner.GetProperty("clientId").GetString()!,
            ["client_secret"] = server.Owner.GetProperty("clientSecret").GetString()!,
            ["scope"] = "https://storage.azure.com/.default",
        });
        using var answer = await client.PostAsync(new Uri($"/{server.Owner.GetProperty("tenantId").GetString()}/oauth2/v2.0/token", UriKind.Relative), form);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("access_token").GetString()!;
    }
}
