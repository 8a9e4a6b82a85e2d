using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tracking.Live;

/// <summary>Writes server-sent events. Each write waits until the connection has taken it, so that a reader that does not read makes nothing grow.</summary>
internal sealed class FeedFrames(Stream target)
{
    /// <summary>An event whose data is one line of JSON.</summary>
    public async Task EventAsync(string name, FeedCursor? id, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        var head = Encoding.UTF8.GetBytes($"event: {name}\n{(id is null ? "" : $"id: {id}\n")}data: ");
        await target.WriteAsync(head, ct);
        await target.WriteAsync(data, ct);
        await target.WriteAsync("\n\n"u8.ToArray(), ct);
        await target.FlushAsync(ct);
    }

    public Task EventAsync(string name, FeedCursor? id, Action<Utf8JsonWriter> write, CancellationToken ct)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return EventAsync(name, id, buffer.WrittenMemory, ct);
    }

    /// <summary>A comment, which clients pass over: the connection lives.</summary>
    public async Task HeartbeatAsync(CancellationToken ct)
    {
        await target.WriteAsync(": heartbeat\n\n"u8.ToArray(), ct);
        await target.FlushAsync(ct);
    }
}
