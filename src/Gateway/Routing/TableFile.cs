using System.Text.Json;

namespace Zaffre.Gateway.Routing;

/// <summary>The routing table and the gateway's own state on disk: written aside, synced and renamed, readable by the owner only.</summary>
internal sealed class TableFile(string folder)
{
    /// <summary>A path below the gateway's own folder.</summary>
    public string Path(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([folder, .. parts]);

    private string Table => Path("table.json");

    private string State => Path("state.json");

    /// <summary>The last table, or null when there is none or it cannot be read (then the server pushes one).</summary>
    public RoutingTable? Load() => Read<RoutingTable>(Table);

    public GatewayState? LoadState() => Read<GatewayState>(State);

    public void Save(RoutingTable table) => Write(Table, JsonSerializer.SerializeToUtf8Bytes(table, GatewayJson.Default.RoutingTable));

    public void SaveState(GatewayState state) => Write(State, JsonSerializer.SerializeToUtf8Bytes(state, GatewayJson.Default.GatewayState));

    private static T? Read<T>(string path)
        where T : class
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), GatewayJson.Reading) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var aside = path + ".new";
        using (var file = new FileStream(aside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, path, overwrite: true);
    }
}
