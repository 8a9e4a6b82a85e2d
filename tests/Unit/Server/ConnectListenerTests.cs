using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Zaffre.Server.Connect;
using Zaffre.Server.Listening;

namespace Zaffre.Tests.Unit.Server;

#pragma warning disable CA1001 // Disposed in DisposeAsync.
[Collection(Alone.Name)]
public sealed class ConnectListenerTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private readonly TcpListener own = new(IPAddress.Loopback, 0);
    private readonly BoundPort bound = BoundPort.Bind(0, 0, "--proxy-port");
    private ConnectListener? listener;
    private TimeSpan headTimeout = TimeSpan.FromSeconds(10);

    private int OwnPort => ((IPEndPoint)own.LocalEndpoint).Port;

    public Task InitializeAsync()
    {
        own.Start();
        return StartAsync(strict: false, upstream: null);
    }

    public async Task DisposeAsync()
    {
        await listener!.StopAsync(CancellationToken.None);
        listener.Dispose();
        own.Dispose();
    }

    [Theory]
    [InlineData("management.azure.com:443")]
    [InlineData("LOGIN.microsoftonline.com:443")]
    [InlineData("someaccount.blob.core.windows.net:443")]
    [InlineData("eastus.api.azureml.ms:443")]
    [InlineData("localhost")]
    public async Task Azure_names_and_our_own_port_lead_to_our_own_listener(string target)
    {
        using var client = await AskAsync(target.Contains(':') ? target : $"{target}:{OwnPort}", early: "hello");
        using var server = await own.AcceptSocketAsync();
        Assert.StartsWith("HTTP/1.1 200 ", await ReadHeadAsync(client), StringComparison.Ordinal);
        Assert.Equal("hello", await ReadAsync(server, 5));
        await server.SendAsync("world"u8.ToArray());
        Assert.Equal("world", await ReadAsync(client, 5));
    }

    [Fact]
    public async Task A_side_that_finished_sending_still_hears_the_answer()
    {
        using var client = await AskAsync("management.azure.com:443", early: "");
        using var server = await own.AcceptSocketAsync();
        await ReadHeadAsync(client);
        await client.SendAsync("ask"u8.ToArray());
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("ask", await ReadAsync(server, 3));
        Assert.Equal(0, await server.ReceiveAsync(new byte[1]));
        await server.SendAsync("answer"u8.ToArray());
        server.Shutdown(SocketShutdown.Both);
        Assert.Equal("answer", await ReadAsync(client, 6));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]));
    }

    [Theory]
    [InlineData("10.0.0.1:443", "403")]
    [InlineData("169.254.169.254:80", "403")]
    [InlineData("[::ffff:169.254.169.254]:443", "403")]
    [InlineData("[fd00:ec2::254]:443", "403")]
    [InlineData("127.0.0.1:22", "403")]
    [InlineData("[::1]:22", "403")]
    [InlineData("x.localhost:22", "403")]
    [InlineData("no-such-name.invalid:443", "502")]
    [InlineData("nothing", "400")]
    [InlineData("host:0", "400")]
    [InlineData("host:99999", "400")]
    [InlineData("a/b:443", "400")]
    [InlineData("a@b:443", "400")]
    public async Task What_is_private_or_malformed_is_refused(string target, string status)
    {
        using var client = await AskAsync(target, early: "");
        Assert.StartsWith($"HTTP/1.1 {status} ", await ReadHeadAsync(client), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET http://management.azure.com/ HTTP/1.1\r\n\r\n", "405")]
    [InlineData("nonsense\r\n\r\n", "400")]
    [InlineData("CONNECT a:1 SPDY/3\r\n\r\n", "400")]
    public async Task Anything_but_connect_is_refused(string head, string status)
    {
        using var client = await SendAsync(head);
        Assert.StartsWith($"HTTP/1.1 {status} ", await ReadHeadAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_without_an_end_is_refused()
    {
        using var client = await SendAsync("CONNECT management.azure.com:443 HTTP/1.1\r\nX: " + new string('a', ConnectRequest.MaximumHead));
        Assert.StartsWith("HTTP/1.1 431 ", await ReadHeadAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_that_does_not_arrive_in_time_is_refused()
    {
        headTimeout = TimeSpan.FromMilliseconds(200);
        await RestartAsync(strict: false, upstream: null);
        using var client = await SendAsync("CONNECT management.azure.com:443 HTTP/1.1\r\n");
        Assert.StartsWith("HTTP/1.1 408 ", await ReadHeadAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strict_proxy_refuses_public_hosts_and_serves_azure_names()
    {
        await RestartAsync(strict: true, upstream: null);
        using var refused = await AskAsync("example.com:443", early: "");
        Assert.StartsWith("HTTP/1.1 403 ", await ReadHeadAsync(refused), StringComparison.Ordinal);
        using var served = await AskAsync("management.azure.com:443", early: "");
        Assert.StartsWith("HTTP/1.1 200 ", await ReadHeadAsync(served), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_hosts_go_through_the_proxy_that_the_user_had()
    {
        using var upstream = new TcpListener(IPAddress.Loopback, 0);
        upstream.Start();
        var url = $"http://user:p%40ss@127.0.0.1:{((IPEndPoint)upstream.LocalEndpoint).Port}";
        await RestartAsync(strict: false, UpstreamProxy.From(url, "internal.example", ownPort: 1));
        using var client = await AskAsync("no-such-name.invalid:443", early: "hello");
        using var proxy = await upstream.AcceptSocketAsync();
        var head = await ReadHeadAsync(proxy);
        Assert.StartsWith("CONNECT no-such-name.invalid:443 HTTP/1.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains("Proxy-Authorization: Basic " + Convert.ToBase64String("user:p@ss"u8), head, StringComparison.Ordinal);
        await proxy.SendAsync("HTTP/1.1 200 OK\r\nX: y\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 200 ", await ReadHeadAsync(client), StringComparison.Ordinal);
        Assert.Equal("hello", await ReadAsync(proxy, 5));
    }

    [Theory]
    [InlineData("internal.example", true)]
    [InlineData("a.internal.example", true)]
    [InlineData("notinternal.example", false)]
    public void The_users_exceptions_count(string host, bool excepted) =>
        Assert.Equal(excepted, UpstreamProxy.From("http://p:3128", "internal.example, .other", 1)!.IsExcepted(host));

    [Fact]
    public void Our_own_listener_is_not_chained_to_itself() => Assert.Null(UpstreamProxy.From("http://localhost:8888", null, 8888));

    [Fact]
    public async Task A_thousand_tunnels_leave_nothing_open()
    {
        var before = OpenFiles();
        for (var round = 0; round < 10; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
            {
                using var client = await AskAsync("management.azure.com:443", early: "x");
                using var server = await own.AcceptSocketAsync();
                await ReadHeadAsync(client);
                if (i % 3 == 0)
                {
                    server.Close(0);
                }
            }));
        }

        for (var wait = 0; wait < 100 && listener!.Open > 0; wait++)
        {
            await Task.Delay(50);
        }

        Assert.Equal(0, listener!.Open);
        Assert.InRange(OpenFiles() - before, -50, 20);
    }

    private static int OpenFiles() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();

    private async Task StartAsync(bool strict, UpstreamProxy? upstream, BoundPort? port = null)
    {
        listener = new ConnectListener(port ?? bound, new ConnectRoutes(OwnPort, 1, strict, upstream), NullLogger<ConnectListener>.Instance) { HeadTimeout = headTimeout };
        await listener.StartAsync(CancellationToken.None);
        listenPort = (port ?? bound).Port;
    }

    private int listenPort;

    private async Task RestartAsync(bool strict, UpstreamProxy? upstream)
    {
        await listener!.StopAsync(CancellationToken.None);
        listener.Dispose();
        await StartAsync(strict, upstream, BoundPort.Bind(0, 0, "--proxy-port"));
    }

    private Task<Socket> AskAsync(string target, string early) => SendAsync($"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n{early}");

    private async Task<Socket> SendAsync(string head)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, listenPort));
        await client.SendAsync(Encoding.ASCII.GetBytes(head));
        return client;
    }

    private static async Task<string> ReadHeadAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await socket.ReceiveAsync(one, patience.Token) > 0)
        {
            text.Append((char)one[0]);
        }

        return text.ToString();
    }

    private static async Task<string> ReadAsync(Socket socket, int length)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var buffer = new byte[length];
        var read = 0;
        while (read < length && await socket.ReceiveAsync(buffer.AsMemory(read), patience.Token) is > 0 and var more)
        {
            read += more;
        }

        return Encoding.ASCII.GetString(buffer, 0, read);
    }
}
