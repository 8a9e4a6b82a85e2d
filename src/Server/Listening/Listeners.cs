using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zaffre.Server.Connect;
using Zaffre.Server.Tls;
using Zaffre.Web;

namespace Zaffre.Server.Listening;

/// <summary>Every port of a server, bound before anything else starts, with the certificate that its listeners show.</summary>
internal sealed class Listeners : IDisposable
{
    private readonly BoundPort control;
    private readonly BoundPort proxy;
    private readonly ServerOptions options;

    private Listeners(ServerOptions options, BoundPort control, BoundPort proxy, ServerEndpoints endpoints) =>
        (this.options, this.control, this.proxy, Endpoints) = (options, control, proxy, endpoints);

    public ServerEndpoints Endpoints { get; }

    /// <summary>Binds the ports and makes the certificate; throws <see cref="StartException"/> with words for the user.</summary>
    public static Listeners Bind(ServerOptions options, DateTimeOffset now)
    {
        var last = ServerState.ReadLast(options.Data);
        var control = BoundPort.Bind(options.Port, last?.Port ?? 0, "--port");
        BoundPort? proxy = null;
        try
        {
            proxy = BoundPort.Bind(options.ProxyPort, last?.ProxyPort ?? 0, "--proxy-port");
            var gateway = GatewayPort.Choose(options, last?.GatewayPort ?? 0);
            var files = ServerCertificate.Ensure(options.Data, now);
            return new Listeners(options, control, proxy, new ServerEndpoints
            {
                Port = control.Port,
                ProxyPort = proxy.Port,
                GatewayPort = gateway,
                CertificateFile = files.Certificate,
                KeyFile = files.Key,
                BundleFile = files.Bundle,
            });
        }
        catch
        {
            control.Dispose();
            proxy?.Dispose();
            throw;
        }
    }

    /// <summary>Puts Kestrel on the control port and the CONNECT listener beside it, and tells the other modules the addresses.</summary>
    public void Configure(WebApplicationBuilder builder)
    {
        var certificate = X509Certificate2.CreateFromPemFile(Endpoints.CertificateFile, Endpoints.KeyFile);
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = Bound);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestHeadersTotalSize = 64 * 1024;
            kestrel.Limits.MaxRequestLineSize = 16 * 1024;

            // Clients send other bytes than UTF-8 in headers; what is refused then says so in the words of its protocol.
            kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            foreach (var socket in control.Sockets)
            {
                kestrel.Listen((IPEndPoint)socket.LocalEndPoint!, listen =>
                {
                    listen.Protocols = HttpProtocols.Http1AndHttp2;
                    listen.UseHttps(certificate, https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13);
                });
            }
        });
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(Endpoints);
        builder.Services.AddSingleton(new ServerAddress { Port = Endpoints.Port, GatewayPort = Endpoints.GatewayPort, ProxyPort = Endpoints.ProxyPort });
        builder.Services.AddHostedService(services => new ConnectListener(
            proxy,
            new ConnectRoutes(Endpoints.Port, Endpoints.GatewayPort, options.StrictProxy, UpstreamProxy.FromEnvironment(Endpoints.ProxyPort)),
            services.GetRequiredService<ILogger<ConnectListener>>()));
    }

    public void Dispose()
    {
        control.Dispose();
        proxy.Dispose();
    }

    private Socket Bound(EndPoint endpoint) =>
        control.Sockets.FirstOrDefault(socket => socket.LocalEndPoint!.Equals(endpoint)) ?? SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
}
