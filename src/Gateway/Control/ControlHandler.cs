using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Routing;

namespace Zaffre.Gateway.Control;

/// <summary>Marks connections of the control socket, whose file mode is their authentication.</summary>
internal sealed class ControlConnection;

/// <summary>The server's orders: <c>GET status</c>, <c>GET counters</c>, <c>GET alive</c> (never ends), <c>POST table</c>, <c>POST models</c>, <c>GET models</c> (those that could not be loaded), <c>POST stop</c>.</summary>
internal sealed class ControlHandler(LiveTable table, OnnxLoader models, TableFile file, GatewaySelf self, IHostApplicationLifetime lifetime, ILogger<ControlHandler> log) : IDisposable
{
    private readonly SemaphoreSlim pushing = new(1, 1);

    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/status") => context.Response.WriteAsJsonAsync(self.Status(table.Version), GatewayJson.Default.GatewayStatus, cancellationToken: context.RequestAborted),
        ("GET", "/counters") => context.Response.WriteAsJsonAsync(table.Counters(), GatewayJson.Default.DeploymentCountersArray, cancellationToken: context.RequestAborted),
        ("GET", "/alive") => AliveAsync(context),
        ("POST", "/table") => PushAsync(context),
        ("POST", "/models") => PrepareAsync(context),
        ("GET", "/models") => RefusedAsync(context),
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

    // Loading takes as long as the model is large; it has a thread of its own.
    private async Task PrepareAsync(HttpContext context)
    {
        var route = await JsonSerializer.DeserializeAsync<OnnxRoute>(context.Request.Body, GatewayJson.Reading, context.RequestAborted);
        var answer = await Task.Factory.StartNew(() => models.Prepare(route!), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await context.Response.WriteAsJsonAsync(answer, GatewayJson.Default.OnnxAnswer, cancellationToken: context.RequestAborted);
    }

    private async Task RefusedAsync(HttpContext context) =>
        await context.Response.WriteAsJsonAsync(await models.RefusedAsync(), GatewayJson.Default.OnnxRefusalArray, cancellationToken: context.RequestAborted);

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
