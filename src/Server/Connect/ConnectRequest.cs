using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Zaffre.Server.Connect;

/// <summary>A host and port as a client names them in <c>CONNECT host:port HTTP/1.1</c>.</summary>
internal sealed record ConnectTarget(string Host, int Port);

/// <summary>What a client asked for: a target with the bytes that already followed the head, or the refusal to send.</summary>
internal sealed record ConnectRequest(ConnectTarget? Target, ReadOnlyMemory<byte> Rest, string? Refusal)
{
    /// <summary>Most bytes of request line and headers.</summary>
    public const int MaximumHead = 8 * 1024;

    private static readonly byte[] End = "\r\n\r\n"u8.ToArray();

    /// <summary>Reads one request head; null when the client went away before it was whole.</summary>
    public static async Task<ConnectRequest?> ReadAsync(Socket client, CancellationToken ct)
    {
        var buffer = new byte[MaximumHead];
        var length = 0;
        while (true)
        {
            var read = await client.ReceiveAsync(buffer.AsMemory(length), ct);
            if (read == 0)
            {
                return null;
            }

            length += read;
            var end = buffer.AsSpan(0, length).IndexOf(End);
            if (end >= 0)
            {
                return Parse(Encoding.ASCII.GetString(buffer, 0, end)) with { Rest = buffer.AsMemory(end + End.Length, length - end - End.Length) };
            }

            if (length == buffer.Length)
            {
                return Refuse(ConnectAnswer.Status(431, "Request Header Fields Too Large", $"The request head is longer than {MaximumHead} bytes."));
            }
        }
    }

    public static ConnectRequest Parse(string head)
    {
        var line = head.Split("\r\n", 2)[0].Split(' ');
        if (line.Length != 3 || !line[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            return Refuse(ConnectAnswer.Status(400, "Bad Request", "This is Zaffre's CONNECT listener; it reads 'CONNECT host:port HTTP/1.1'."));
        }

        if (line[0] != "CONNECT")
        {
            return Refuse(ConnectAnswer.Status(405, "Method Not Allowed", "This is Zaffre's CONNECT listener, for HTTPS_PROXY. It serves no other method; do not set HTTP_PROXY to it.", "Allow: CONNECT\r\n"));
        }

        return ParseTarget(line[1]) is { } target
            ? new ConnectRequest(target, default, null)
            : Refuse(ConnectAnswer.Status(400, "Bad Request", "The target is not of the form host:port."));
    }

    private static ConnectRequest Refuse(string answer) => new(null, default, answer);

    private static ConnectTarget? ParseTarget(string authority)
    {
        var colon = authority.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
        {
            return null;
        }

        var host = authority[..colon];
        if (host[0] == '[')
        {
            return host[^1] == ']' && IPAddress.TryParse(host[1..^1], out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId == 0
                ? new ConnectTarget(address.ToString(), port)
                : null;
        }

        return host.Length <= 253 && host.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? new ConnectTarget(host.TrimEnd('.').ToLowerInvariant(), port)
            : null;
    }
}

/// <summary>The answers of the listener, ready to send.</summary>
internal static class ConnectAnswer
{
    public const string Established = "HTTP/1.1 200 Connection established\r\n\r\n";

    public static string Status(int status, string reason, string message, string headers = "")
    {
        var body = message + "\n";
        return $"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}Connection: close\r\n\r\n{body}";
    }

    public static string Refused(string message) => Status(403, "Forbidden", message);

    public static string Unreachable(string message) => Status(502, "Bad Gateway", message);
}
