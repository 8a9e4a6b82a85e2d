using System.Net.Sockets;
using Zaffre.Server.Listening;

namespace Zaffre.Tests.Unit.Server;

public sealed class BoundPortTests
{
    [Fact]
    public void A_taken_port_names_its_holder()
    {
        using var held = BoundPort.Bind(0, 0, "--port");
        var exception = Assert.Throws<StartException>(() => BoundPort.Bind(held.Port, 0, "--port"));
        Assert.Contains($"Port {held.Port} is taken by process {Environment.ProcessId} (", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_taken_only_on_the_other_address_is_taken()
    {
        using var other = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = false };
        other.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.IPv6Loopback, 0));
        other.Listen();
        Assert.Throws<StartException>(() => BoundPort.Bind(((System.Net.IPEndPoint)other.LocalEndPoint!).Port, 0, "--port"));
    }

    [Fact]
    public void Zero_takes_the_preferred_port_when_it_is_free_and_another_when_not()
    {
        int port;
        using (var first = BoundPort.Bind(0, 0, "--port"))
        {
            port = first.Port;
            using var second = BoundPort.Bind(0, port, "--port");
            Assert.NotEqual(port, second.Port);
        }

        using var again = BoundPort.Bind(0, port, "--port");
        Assert.Equal(port, again.Port);
    }
}
