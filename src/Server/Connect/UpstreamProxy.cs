using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Zaffre.Server.Connect;

/// <summary>The HTTP proxy that the user had before ours (<c>HTTPS_PROXY</c> of the server's environment, with its <c>NO_PROXY</c>).</summary>
internal sealed record UpstreamProxy(string Host, int Port, string? Authorization, IReadOnlyList<string> Except)
{
    /// <summary>The user's proxy, or null when there is none or it is our own listener.</summary>
    public static UpstreamProxy? FromEnvironment(int ownPort) => From(
        Read("HTTPS_PROXY") ?? Read("https_proxy"),
        Read("NO_PROXY") ?? Read("no_proxy"),
        ownPort);

    public static UpstreamProxy? From(string? url, string? except, int ownPort)
    {
        if (url is null
            || !Uri.TryCreate(url.Contains("://", StringComparison.Ordinal) ? url : "http://" + url, UriKind.Absolute, out var proxy)
            || proxy.Scheme != Uri.UriSchemeHttp
            || (proxy.IsLoopback && proxy.Port == ownPort))
        {
            return null;
        }

        var authorization = proxy.UserInfo.Length == 0 ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(proxy.UserInfo)));
        var names = (except ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new UpstreamProxy(proxy.DnsSafeHost, proxy.Port, authorization, names);
    }

    /// <summary>Whether the user's <c>NO_PROXY</c> excludes the host.</summary>
    public bool IsExcepted(string host) => Except.Any(name =>
        name == "*"
        || host.Equals(name.TrimStart('.'), StringComparison.OrdinalIgnoreCase)
        || host.EndsWith("." + name.TrimStart('*').TrimStart('.'), StringComparison.OrdinalIgnoreCase));

    /// <summary>Asks the proxy for a tunnel; null when it refuses.</summary>
    public async Task<Socket?> ConnectAsync(ConnectTarget target, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(Host, Port), ct);
            var authority = target.Host.Contains(':', StringComparison.Ordinal) ? $"[{target.Host}]:{target.Port}" : $"{target.Host}:{target.Port}";
            var credentials = Authorization is null ? "" : $"Proxy-Authorization: Basic {Authorization}\r\n";
            await socket.SendAsync(Encoding.ASCII.GetBytes($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n"), ct);
            if (await IsAcceptedAsync(socket, ct))
            {
                return socket;
            }
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        socket.Dispose();
        return null;
    }

    private static string? Read(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Reads the answer's head byte by byte: what follows it belongs to the tunnel.</summary>
    private static async Task<bool> IsAcceptedAsync(Socket socket, CancellationToken ct)
    {
        var head = new byte[ConnectRequest.MaximumHead];
        for (var length = 0; length < head.Length;)
        {
            if (await socket.ReceiveAsync(head.AsMemory(length, 1), ct) == 0)
            {
                return false;
            }

            length++;
            if (head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
            {
                var line = Encoding.ASCII.GetString(head, 0, length).Split(' ', 3);
                return line.Length > 1 && line[0].StartsWith("HTTP/1.", StringComparison.Ordinal) && line[1].StartsWith('2');
            }
        }

        return false;
    }
}
