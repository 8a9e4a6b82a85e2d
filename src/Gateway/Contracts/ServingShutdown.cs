using System.Net.Sockets;
using Zaffre.Kernel;

namespace Zaffre.Gateway;

/// <summary>
/// Ends serving of a data directory in an orderly way: for <c>zaffre down</c>, after the server has ended. A server that only ends or
/// crashes leaves gateway and instances alone. Needs no server; the next <c>zaffre up</c> brings everything back.
/// </summary>
public static class ServingShutdown
{
    /// <summary>Asks gateway and instances to finish running requests and end; completes when the gateway has ended. Harmless when nothing runs.</summary>
    public static async Task StopAsync(DataDirectory data, CancellationToken ct)
    {
        var folder = ServingFolder.Open(data);
        using var client = new GatewayClient(folder);
        var gone = client.WaitUntilGoneAsync(ct);
        if (await client.StopAsync(ct))
        {
            await gone;
        }

        foreach (var worker in Directory.EnumerateDirectories(Path.Combine(folder.Root, "w")))
        {
            try
            {
                using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
                await socket.SendToAsync("stop"u8.ToArray(), SocketFlags.None, new UnixDomainSocketEndPoint(Path.Combine(worker, "c.sock")), ct);
            }
            catch (SocketException)
            {
                // This one has ended before.
            }
        }
    }
}
