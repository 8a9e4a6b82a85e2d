using System.Net;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>A server-sent event as it came; <see cref="Id"/> is the last id that came with or before it.</summary>
internal sealed record SentEvent(string Name, string? Id, JsonElement Data)
{
    /// <summary>What the event tells, one text for each thing.</summary>
    public IEnumerable<string> Facts => Name switch
    {
        "metric" => Data.GetProperty("metrics").EnumerateArray().Select(point => $"metric {point.GetProperty("key")} {point.GetProperty("step")} {point.GetProperty("value")}"),
        "param" => Data.GetProperty("params").EnumerateArray().Select(one => $"param {one.GetProperty("key")}={one.GetProperty("value")}"),
        "tag" => (Data.TryGetProperty("tags", out var tags) ? tags.EnumerateArray().Select(one => $"tag {one.GetProperty("key")}={one.GetProperty("value")}") : [])
            .Concat(Data.TryGetProperty("deleted", out var gone) ? gone.EnumerateArray().Select(name => $"gone {name}") : []),
        "status" => [$"status {Data.GetProperty("status")}"],
        "log" => [$"log {Data.GetProperty("path")} {Data.GetProperty("offset")} {Data.GetProperty("text")}"],
        "end" => [$"end {Data.GetProperty("status")}"],
        _ => [],
    };
}

/// <summary>Reads server-sent events, one at a time.</summary>
internal sealed class EventReader(HttpResponseMessage answer, StreamReader lines) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string? id;

    public HttpResponseMessage Answer => answer;

    /// <summary>How many heartbeats came.</summary>
    public int Heartbeats { get; private set; }

    public static async Task<EventReader> OpenAsync(HttpClient client, string path, string? lastId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {(int)answer.StatusCode} {(answer.StatusCode == HttpStatusCode.OK ? "" : await answer.Content.ReadAsStringAsync())}");
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        return new EventReader(answer, new StreamReader(await answer.Content.ReadAsStreamAsync(), Encoding.UTF8));
    }

    /// <summary>The next event; null at the end of the stream.</summary>
    public async Task<SentEvent?> NextAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        var (name, data) = ("message", "");
        while (await lines.ReadLineAsync(late.Token) is { } line)
        {
            if (line.Length == 0 && data.Length > 0)
            {
                return new SentEvent(name, id, JsonDocument.Parse(data).RootElement.Clone());
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var value = colon < 0 ? "" : line[(colon + 1)..].TrimStart(' ');
            switch (colon < 0 ? line : line[..colon])
            {
                case "": Heartbeats += line.Length > 0 ? 1 : 0; break;
                case "event": name = value; break;
                case "id": id = value; break;
                case "data": data += value; break;
                default: Assert.Fail("No field of server-sent events: " + line); break;
            }
        }

        return null;
    }

    /// <summary>Reads until an event tells <paramref name="fact"/>; answers with everything read.</summary>
    public async Task<List<SentEvent>> UntilAsync(string fact)
    {
        var read = new List<SentEvent>();
        while (!read.SelectMany(one => one.Facts).Contains(fact, StringComparer.Ordinal))
        {
            read.Add(await NextAsync() ?? throw new InvalidOperationException($"The stream ended before '{fact}': {string.Join("; ", read.SelectMany(one => one.Facts))}"));
        }

        return read;
    }

    /// <summary>Reads to the end of the stream.</summary>
    public async Task<List<SentEvent>> AllAsync()
    {
        var read = new List<SentEvent>();
        while (await NextAsync() is { } one)
        {
            read.Add(one);
        }

        return read;
    }

    public void Dispose()
    {
        lines.Dispose();
        answer.Dispose();
    }
}
