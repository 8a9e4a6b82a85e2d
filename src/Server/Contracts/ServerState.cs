using System.Text.Json;
using System.Text.Json.Serialization;
using Zaffre.Kernel;
using Zaffre.Server.Listening;

namespace Zaffre.Server;

/// <summary>
/// What a running server tells the local CLI, in <c>run/server.json</c>: written when it is ready, gone after a graceful end.
/// </summary>
public sealed record ServerState
{
    /// <summary>The server's process.</summary>
    public required int Pid { get; init; }

    public required int Port { get; init; }

    public required int ProxyPort { get; init; }

    public required int GatewayPort { get; init; }

    /// <summary>The control plane's base URL.</summary>
    public required string Url { get; init; }

    /// <summary>The CONNECT listener's URL.</summary>
    public required string ProxyUrl { get; init; }

    /// <summary>The scoring gateway's base URL.</summary>
    public required string GatewayUrl { get; init; }

    public required DateTimeOffset Started { get; init; }

    /// <summary>The state as the server wrote it, or null; it may be of a server that was killed.</summary>
    public static ServerState? Read(DataDirectory data) => Read(data, "server.json");

    /// <summary>The state of the server that uses the data directory now, or null.</summary>
    public static ServerState? FindRunning(DataDirectory data) => DataLock.IsHeld(data) ? Read(data) : null;

    /// <summary>Whether a server uses the data directory now, ready or not.</summary>
    public static bool IsInUse(DataDirectory data) => DataLock.IsHeld(data);

    /// <summary>The ports of the last start, which <c>--port 0</c> takes again when they are free: running jobs still know them.</summary>
    internal static ServerState? ReadLast(DataDirectory data) => Read(data, "last.json");

    internal void Write(DataDirectory data)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, ServerStateJson.Default.ServerState);
        PrivateFile.Write(data.Path("run", "last.json"), json);
        PrivateFile.Write(data.Path("run", "server.json"), json);
    }

    internal static void Remove(DataDirectory data) => File.Delete(data.Path("run", "server.json"));

    private static ServerState? Read(DataDirectory data, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(data.Path("run", name)), ServerStateJson.Default.ServerState);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ServerState))]
internal sealed partial class ServerStateJson : JsonSerializerContext;
