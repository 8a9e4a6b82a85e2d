using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Server.Listening;

namespace Zaffre.Server.Connect;

/// <summary>The CONNECT listener that <c>HTTPS_PROXY</c> points at, on loopback only.</summary>
internal sealed class ConnectListener(BoundPort bound, ConnectRoutes routes, ILogger<ConnectListener> log) : IHostedService, IDisposable
{
    /// <summary>Tunnels at a time; the next client is told to come back.</summary>
    public const int MaximumTunnels = 2048;

    /// <summary>How long a client may take to send its request head.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long resolving and dialling the target may take.</summary>
    public static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<long, Task> tunnels = new();
    private Task[] accepting = [];
    private long last;

    /// <summary>Connections that are open now.</summary>
    public int Open => tunnels.Count;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        accepting = [.. bound.Sockets.Select(AcceptAsync)];
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        bound.Dispose();
        await Task.WhenAll([.. accepting, .. tunnels.Values]).WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        stopping.Dispose();
        bound.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptAsync(stopping.Token);
                var id = Interlocked.Increment(ref last);
                var serving = Task.Run(() => ServeAsync(client), CancellationToken.None);
                tunnels[id] = serving;
                _ = serving.ContinueWith(_ => tunnels.TryRemove(id, out Task? _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of descriptors, or the client was gone before it was accepted.
                ConnectLog.AcceptFailed(log, exception.Message);
                await Task.Delay(50);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                if (client.RemoteEndPoint is not IPEndPoint { Address: var address } || !IPAddress.IsLoopback(address))
                {
                    return;
                }

                await ServeAsync(client, stopping.Token);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                ConnectLog.Ended(log, exception.Message);
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken ct)
    {
        if (tunnels.Count > MaximumTunnels)
        {
            await SendAsync(client, ConnectAnswer.Status(503, "Service Unavailable", $"{MaximumTunnels} tunnels are open already.", "Retry-After: 1\r\n"), ct);
            return;
        }

        var request = await WithinAsync<ConnectRequest?>(HeadTimeout, token => ConnectRequest.ReadAsync(client, token), ct);
        if (request.TimedOut)
        {
            await SendAsync(client, ConnectAnswer.Status(408, "Request Timeout", "The request head did not arrive in time."), ct);
            return;
        }

        if (request.Result is not { } asked)
        {
            return;
        }

        if (asked.Target is not { } target)
        {
            await SendAsync(client, asked.Refusal!, ct);
            return;
        }

        var route = await WithinAsync(DialTimeout, token => routes.OpenAsync(target, token), ct);
        if (route.Result?.Socket is not { } socket)
        {
            var refusal = route.Result?.Refusal ?? ConnectAnswer.Status(504, "Gateway Timeout", $"{target.Host}:{target.Port} did not answer in {DialTimeout.TotalSeconds} seconds.");
            ConnectLog.Refused(log, target.Host, target.Port, refusal.Split(' ', 3)[1]);
            await SendAsync(client, refusal, ct);
            return;
        }

        using (socket)
        {
            KeepAlive(socket);
            await client.SendAsync(Encoding.ASCII.GetBytes(ConnectAnswer.Established), ct);
            if (asked.Rest.Length > 0)
            {
                await socket.SendAsync(asked.Rest, ct);
            }

            await Tunnel.RunAsync(client, socket, ct);
        }
    }

    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 120);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
    }

    private static async Task<(T? Result, bool TimedOut)> WithinAsync<T>(TimeSpan limit, Func<CancellationToken, Task<T>> work, CancellationToken ct)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(limit);
        try
        {
            return (await work(timeout.Token), false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (default, true);
        }
    }

    /// <summary>Sends an answer that ends the connection, and reads on until the client has closed, so that it is not reset away.</summary>
    private static async Task SendAsync(Socket client, string answer, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromSeconds(2));
        await client.SendAsync(Encoding.UTF8.GetBytes(answer), patience.Token);
        client.Shutdown(SocketShutdown.Send);
        var rest = new byte[4096];
        while (await client.ReceiveAsync(rest, patience.Token) > 0)
        {
        }
    }
}
