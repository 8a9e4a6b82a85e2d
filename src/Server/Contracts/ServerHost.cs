using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Zaffre.Endpoints;
using Zaffre.Recording;
using Zaffre.Server.Listening;
using Zaffre.Web;

namespace Zaffre.Server;

/// <summary>One server process, from taking its data directory to letting it go.</summary>
public static class ServerHost
{
    /// <summary>
    /// Runs until SIGTERM, SIGINT or <paramref name="ct"/>; <paramref name="ready"/> is called once every listener answers. What keeps
    /// the server from starting (a taken port, a data directory in use) is written to standard error; the exit code is then 1.
    /// </summary>
    public static async Task<int> RunAsync(ServerOptions options, Action<ServerState> ready, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(ready);
        try
        {
            using var data = DataLock.Acquire(options.Data);
            ServerState.Remove(options.Data);
            using var listeners = Listeners.Bind(options, TimeProvider.System.GetUtcNow());
            await using var app = Build(options, listeners);
            await app.StartAsync(ct);
            var state = StateOf(listeners.Endpoints);
            state.Write(options.Data);
            ready(state);
            await app.WaitForShutdownAsync(ct);
            ServerState.Remove(options.Data);
            return 0;
        }
        catch (Exception exception) when (exception is StartException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // What fails in a module is in the log above, with its stack; this line is for the user.
            await Console.Error.WriteLineAsync("ERROR: " + exception.Message);
            return 1;
        }
    }

    private static WebApplication Build(ServerOptions options, Listeners listeners)
    {
        // No appsettings.json of the folder the user happens to be in.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
        listeners.Configure(builder);
        builder.Services.AddSingleton(new ServingOptions
        {
            GatewayPort = listeners.Endpoints.GatewayPort,
            CertificateFile = listeners.Endpoints.CertificateFile,
            KeyFile = listeners.Endpoints.KeyFile,
        });
        if (options.Record is { } folder)
        {
            builder.Services.AddRecording(new RecordingOptions { Folder = folder, Data = options.Data, Limit = options.RecordLimit * 1024L * 1024 });
        }

        builder.Services.AddZaffre(options.Data);
        var app = builder.Build();
        app.UseZaffre();
        app.MapGet("/healthz", () => Results.Text("ok")).Anonymous();
        app.MapGet("/readyz", () => Results.Text("ready")).Anonymous();
        return app;
    }

    private static ServerState StateOf(ServerEndpoints endpoints) => new()
    {
        Pid = Environment.ProcessId,
        Port = endpoints.Port,
        ProxyPort = endpoints.ProxyPort,
        GatewayPort = endpoints.GatewayPort,
        Url = endpoints.Url,
        ProxyUrl = endpoints.ProxyUrl,
        GatewayUrl = endpoints.GatewayUrl,
        Started = TimeProvider.System.GetUtcNow(),
    };
}
