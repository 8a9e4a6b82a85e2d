using System.Buffers;
using System.Net.Sockets;

namespace Zaffre.Server.Connect;

/// <summary>Carries bytes both ways. When one side finishes sending, the other hears that and may still answer; when one breaks, both end.</summary>
internal static class Tunnel
{
    private const int BufferSize = 64 * 1024;

    public static async Task RunAsync(Socket client, Socket target, CancellationToken ct)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAll(PumpAsync(client, target, broken), PumpAsync(target, client, broken));
    }

    private static async Task PumpAsync(Socket from, Socket to, CancellationTokenSource broken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer.AsMemory(), broken.Token)) > 0)
            {
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), broken.Token);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            await broken.CancelAsync();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
