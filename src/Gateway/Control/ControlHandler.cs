using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Gateway.Routing;

namespace Zaffre.Gateway.Control;

/// <summary>Marks connections of the control socket, whose file mode is their authentication.</summary>
internal sealed class ControlConnection;

/// <summary>The server's orders: <c>GET status</c>, <c>GET counters</c>, <c>GET alive</c> (never ends), <c>POST table</c>, <c>POST stop</c>.</summary>
internal sealed class ControlHandler(LiveTable table, TableFile file, GatewaySelf self, IHostApplicationLifetime lifetime, ILogger<ControlHandler> log) : IDisposable
{
    private readonly SemaphoreSlim pushing = new(1, 1);

    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/status") => context.Response.WriteAsJsonAsync(self.Status(table.Version), GatewayJson.Default.GatewayStatus, cancellationToken: context.RequestAborted),
        ("GET", "/counters") => context.Response.WriteAsJsonAsync(table.Counters(), GatewayJson.Default.DeploymentCountersArray, cancellationToken: context.RequestAborted),
        ("GET", "/alive") => AliveAsync(context),
        ("POST", "/table") => PushAsync(context),
        ("POST", "/stop") => StopAsync(context),
        _ => NotFoundAsync(context),
    };

    public void Dispose() => pushing.Dispose();

    private async Task AliveAsync(HttpContext context)
    {
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.Abort();
    }

    private async Task PushAsync(HttpContext context)
    {
        RoutingTable? pushed;
        try
        {
            pushed = await JsonSerializer.DeserializeAsync<RoutingTable>(context.Request.Body, GatewayJson.Reading, context.RequestAborted);
        }
        catch (JsonException)
        {
            pushed = null;
        }

        if (pushed is null)
        {
            context.Response.StatusCode = 400;
            return;
        }

        await pushing.WaitAsync(context.RequestAborted);
        try
        {
            if (!table.Apply(pushed))
            {
                context.Response.StatusCode = 409;
                return;
            }

            file.Save(pushed);
            self.ReloadCertificate();
            log.TableApplied(pushed.Version, pushed.Endpoints.Count);
            context.Response.StatusCode = 204;
        }
        finally
        {
            pushing.Release();
        }
    }

    private Task StopAsync(HttpContext context)
    {
        log.Stopping();
        context.Response.StatusCode = 202;
        context.Response.OnCompleted(() =>
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        });
        return Task.CompletedTask;
    }

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
