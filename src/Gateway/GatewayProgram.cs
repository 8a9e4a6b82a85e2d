using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Gateway.Control;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Routing;
using Zaffre.Gateway.Scoring;

namespace Zaffre.Gateway;

/// <summary>Puts the gateway process together.</summary>
internal static class GatewayProgram
{
    private const int AlreadyRunning = 3;

    public static async Task<int> RunAsync(GatewayOptions options, CancellationToken ct)
    {
        var folder = ServingFolder.Open(options.Data);
        using var held = TryLock(folder);
        if (held is null)
        {
            await Console.Error.WriteLineAsync($"Another gateway of {options.Data.Root} is running (it holds {folder.Lock}).");
            return AlreadyRunning;
        }

        var file = new TableFile(options.Data.Path("gateway"));
        var known = file.LoadState();
        using var self = new GatewaySelf(options.CertificateFile ?? options.Data.Path("tls", "server.pem"), options.KeyFile ?? options.Data.Path("tls", "server.key"))
        {
            Port = FreePort(options.Port == 0 ? known?.Port ?? 0 : options.Port, options.Port == 0),
            HttpPort = options.HttpPort is { } http ? FreePort(http, true) : null,
        };
        file.SaveState(new GatewayState(self.Port, self.HttpPort, Environment.ProcessId));
        var app = Build(folder, file, self);
        await using (app)
        {
            var table = app.Services.GetRequiredService<LiveTable>();
            if (file.Load() is { } last)
            {
                table.Apply(last);
            }

            Wire(app);
            using var gone = WatchFolder(options.Data.Root, app.Lifetime);
            await app.StartAsync(ct);
            File.SetUnixFileMode(folder.ControlSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Zaffre.Gateway").Listening(GatewaySelf.Build, self.Port, table.Version);
            await File.WriteAllTextAsync(folder.ReadyFile, $"{Environment.ProcessId}\n", ct);
            await app.WaitForShutdownAsync(ct);
        }

        return 0;
    }

    private static WebApplication Build(ServingFolder folder, TableFile file, GatewaySelf self)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "zaffre-gateway" });
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(file).AddSingleton(self)
            .AddSingleton<OnnxLoader>().AddSingleton<LiveTable>().AddSingleton<ScoringHandler>().AddSingleton<ControlHandler>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            File.Delete(folder.ControlSocket);
            kestrel.ListenUnixSocket(folder.ControlSocket, listen => listen.Use(next => connection =>
            {
                connection.Features.Set(new ControlConnection());
                return next(connection);
            }));
            foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
            {
                if (address.AddressFamily == AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6)
                {
                    continue;
                }

                kestrel.Listen(address, self.Port, listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => self.Certificate));
                if (self.HttpPort is { } plain)
                {
                    kestrel.Listen(address, plain, listen => listen.Protocols = HttpProtocols.Http1);
                }
            }
        });
        return builder.Build();
    }

    private static void Wire(WebApplication app)
    {
        var scoring = app.Services.GetRequiredService<ScoringHandler>();
        var control = app.Services.GetRequiredService<ControlHandler>();
        app.Run(context => context.Features.Get<ControlConnection>() is null ? scoring.HandleAsync(context) : control.HandleAsync(context));
    }

    // Whoever removes the data directory does not want it served any more.
    private static FileSystemWatcher WatchFolder(string root, IHostApplicationLifetime lifetime)
    {
        var watcher = new FileSystemWatcher(root, "gateway") { NotifyFilter = NotifyFilters.DirectoryName };
        watcher.Deleted += (_, _) => lifetime.StopApplication();
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    private static FileStream? TryLock(ServingFolder folder)
    {
        try
        {
            return new FileStream(folder.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    // The wanted port, or another one when it is taken and the caller does not insist. Both loopback addresses need the same one.
    private static int FreePort(int wanted, bool any)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            probe.Bind(new IPEndPoint(IPAddress.Loopback, wanted));
        }
        catch (SocketException) when (any && wanted != 0)
        {
            return FreePort(0, any);
        }

        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
