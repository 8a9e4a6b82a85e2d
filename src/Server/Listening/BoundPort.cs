using System.Net;
using System.Net.Sockets;

namespace Zaffre.Server.Listening;

/// <summary>One port listening on 127.0.0.1 and, where the machine has it, on ::1. Bound before anything starts, so that a taken port is found first.</summary>
internal sealed class BoundPort : IDisposable
{
    private const int Attempts = 64;
    private const int Backlog = 512;

    private BoundPort(Socket v4, Socket? v6) => (V4, V6) = (v4, v6);

    public Socket V4 { get; }

    public Socket? V6 { get; }

    public int Port => ((IPEndPoint)V4.LocalEndPoint!).Port;

    public IEnumerable<Socket> Sockets => V6 is null ? [V4] : [V4, V6];

    /// <summary>Binds the port; 0 takes <paramref name="preferred"/> when it is free, else any. Throws <see cref="StartException"/> when a named port is taken.</summary>
    public static BoundPort Bind(int port, int preferred, string option)
    {
        if (port != 0)
        {
            return TryBind(port) ?? throw new StartException($"Port {port} is taken by {PortHolder.Describe(port)}. Stop it, or choose another port with {option} N ({option} 0 picks a free one).");
        }

        if (preferred != 0 && TryBind(preferred) is { } again)
        {
            return again;
        }

        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (TryBind(0) is { } found)
            {
                return found;
            }
        }

        throw new StartException("No port is free on both 127.0.0.1 and ::1.");
    }

    public static BoundPort? TryBind(int port)
    {
        var v4 = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            v4.Bind(new IPEndPoint(IPAddress.Loopback, port));

            // Two sockets that do not listen yet may share a port; only listening makes it ours.
            v4.Listen(Backlog);
            return new BoundPort(v4, BindV6(((IPEndPoint)v4.LocalEndPoint!).Port));
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            v4.Dispose();
            return exception.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? null
                : throw new StartException($"This user may not listen on port {port}. Choose one above 1023.");
        }
    }

    public void Dispose()
    {
        V4.Dispose();
        V6?.Dispose();
    }

    private static Socket? BindV6(int port)
    {
        if (!Socket.OSSupportsIPv6)
        {
            return null;
        }

        var v6 = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = false };
        try
        {
            v6.Bind(new IPEndPoint(IPAddress.IPv6Loopback, port));
            v6.Listen(Backlog);
            return v6;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
        {
            v6.Dispose();
            return null;
        }
        catch (SocketException)
        {
            v6.Dispose();
            throw;
        }
    }
}

/// <summary>Why the server cannot start, in words for the user; no stack is shown.</summary>
internal sealed class StartException(string message) : Exception(message);
