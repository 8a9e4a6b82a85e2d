using System.Net;
using System.Net.Sockets;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Chooses ports of the loopback for processes that will listen there. Below the range that the system gives to clients, so that only another
/// listener can be in the way; the same port is chosen again only after the others were. Thread safe.
/// </summary>
internal sealed class GangPorts
{
    private const int First = 12_000;
    private const int Count = 18_000;

    // Servers of one host begin at different places.
    private int next = Random.Shared.Next(Count);

    /// <summary>Ports that nobody listens on now.</summary>
    public IReadOnlyList<int> Choose(int count)
    {
        var ports = new List<int>();
        for (var tries = 0; ports.Count < count; tries++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref next) % Count);
            if (IsFree(port))
            {
                ports.Add(port);
            }
            else if (tries > Count)
            {
                throw new IOException($"this host has no {count} free ports for the job's processes");
            }
        }

        return ports;
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
