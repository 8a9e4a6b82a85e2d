using Zaffre.Kernel;
using System.Net;
using System.Net.Sockets;
using Zaffre.Server.Tls;

namespace Zaffre.Server.Connect;

/// <summary>The end of a tunnel: a connected socket, or the refusal to send.</summary>
internal sealed record ConnectRoute(Socket? Socket, string? Refusal);

/// <summary>
/// Where a tunnel leads: the Azure names to our own listener; our own listeners to themselves; public hosts to themselves or
/// through the user's proxy; everything private nowhere. A name is resolved once, and the address that was checked is dialled.
/// </summary>
internal sealed class ConnectRoutes(int port, int gatewayPort, bool strict, UpstreamProxy? upstream)
{
    private const int Https = 443;

    /// <summary>How long a name behind the user's proxy may take to resolve here; the proxy resolves it anyway.</summary>
    private static readonly TimeSpan ChainedResolution = TimeSpan.FromSeconds(2);

    public async Task<ConnectRoute> OpenAsync(ConnectTarget target, CancellationToken ct)
    {
        if (AzureNames.IsOurs(target.Host) && target.Port == Https)
        {
            return await DialAsync([IPAddress.Loopback], port, target, ct);
        }

        if (IsLoopbackName(target.Host))
        {
            return target.Port == port || target.Port == gatewayPort
                ? await DialAsync([IPAddress.Loopback], target.Port, target, ct)
                : Refuse(ConnectAnswer.Refused($"Zaffre tunnels to no local port but its own ({port} and {gatewayPort})."));
        }

        if (strict)
        {
            return Refuse(ConnectAnswer.Refused($"{target.Host} is refused: this server runs with --strict-proxy and answers for the Azure names only."));
        }

        return await OpenPublicAsync(target, ct);
    }

    private async Task<ConnectRoute> OpenPublicAsync(ConnectTarget target, CancellationToken ct)
    {
        var chained = upstream is not null && !upstream.IsExcepted(target.Host);
        var addresses = await ResolveAsync(target.Host, chained, ct);
        if (addresses.FirstOrDefault(address => !PublicAddress.IsPublic(address)) is { } inside)
        {
            return Refuse(ConnectAnswer.Refused($"{target.Host} is refused: {inside} is a private, link-local or special address."));
        }

        if (chained)
        {
            return await upstream!.ConnectAsync(target, ct) is { } tunnel
                ? new ConnectRoute(tunnel, null)
                : Refuse(ConnectAnswer.Unreachable($"The proxy {upstream.Host}:{upstream.Port} refused a tunnel to {target.Host}:{target.Port}."));
        }

        return addresses.Length == 0
            ? Refuse(ConnectAnswer.Unreachable($"The name {target.Host} does not resolve."))
            : await DialAsync(addresses, target.Port, target, ct);
    }

    private static async Task<ConnectRoute> DialAsync(IPAddress[] addresses, int targetPort, ConnectTarget target, CancellationToken ct)
    {
        var socket = new Socket(addresses[0].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(addresses[0], targetPort), ct);
            return new ConnectRoute(socket, null);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            return addresses.Length > 1
                ? await DialAsync(addresses[1..], targetPort, target, ct)
                : Refuse(ConnectAnswer.Unreachable($"{target.Host}:{target.Port} cannot be reached: {exception.Message}."));
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<IPAddress[]> ResolveAsync(string host, bool chained, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (chained)
        {
            patience.CancelAfter(ChainedResolution);
        }

        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        try
        {
            return await Dns.GetHostAddressesAsync(host, patience.Token);
        }
        catch (Exception exception) when (exception is SocketException || (exception is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // Behind a proxy names often resolve only there; without one, the caller says that the name does not resolve.
            return [];
        }
    }

    private static bool IsLoopbackName(string host) =>
        host == "localhost"
        || host.EndsWith(".localhost", StringComparison.Ordinal)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static ConnectRoute Refuse(string answer) => new(null, answer);
}
