using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Execution;

/// <summary>Writes a log and states as plain text (only the log), or as server-sent events.</summary>
internal sealed class LogFrames(Stream target, bool asEvents)
{
    /// <summary>A piece of the log that ends at byte <paramref name="end"/>.</summary>
    public Task LogAsync(ReadOnlyMemory<byte> text, long end, CancellationToken ct)
    {
        // A log may hold any line ending, and the framing of events would change it: the data is one JSON string.
        return asEvents
            ? EventAsync("log", $"id: {end}\n", JsonValue.Create(Encoding.UTF8.GetString(text.Span)), ct)
            : SendAsync(text, ct);
    }

    public Task StatusAsync(JsonObject status, CancellationToken ct) =>
        asEvents ? EventAsync("status", "", status, ct) : target.FlushAsync(ct);

    private Task EventAsync(string name, string id, JsonNode data, CancellationToken ct) =>
        SendAsync(Encoding.UTF8.GetBytes($"event: {name}\n{id}data: {data.ToJsonString(ZaffreJson.Options)}\n\n"), ct);

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        await target.WriteAsync(bytes, ct);
        await target.FlushAsync(ct);
    }
}
