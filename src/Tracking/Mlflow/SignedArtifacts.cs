using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Kernel;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow.Features;
using Zaffre.Web;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Reads and writes of one blob whose URL carries the permission: the ticket is the authentication.</summary>
internal static class SignedArtifacts
{
    private const string Path = "/api/2.0/mlflow-artifacts/signed";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods(Path, ["GET", "HEAD"], (RequestDelegate)(context => RunAsync(context, GetAsync))).OwnAuthentication();
        endpoints.MapPut(Path, (RequestDelegate)(context => RunAsync(context, PutAsync))).OwnAuthentication();
    }

    public static string Url(HttpContext http, string ticket) => $"{http.PublicUrls().Base(http)}{Path}?ticket={ticket}";

    private static async Task RunAsync(HttpContext context, Func<HttpContext, CancellationToken, Task> operation)
    {
        try
        {
            await operation(context, context.RequestAborted);
        }
        catch (MlflowException error) when (!context.Response.HasStarted)
        {
            await new MlflowFailure(error).ExecuteAsync(context);
        }
        catch (ProblemException exception) when (!context.Response.HasStarted)
        {
            await new MlflowFailure(MlflowErrors.From(exception.Problem)).ExecuteAsync(context);
        }
    }

    private static async Task GetAsync(HttpContext context, CancellationToken ct)
    {
        var blob = context.RequestServices.GetRequiredService<ArtifactTickets>().Open(context.Request.Query["ticket"].ToString(), "get");
        var found = await context.RequestServices.GetRequiredService<ArtifactStore>().OpenAsync(blob, ct) ?? throw MlflowErrors.NotFound("The artifact was deleted meanwhile.");
        await ArtifactProxy.SendAsync(context, found, blob.Name.Split('/')[^1]);
    }

    private static async Task PutAsync(HttpContext context, CancellationToken ct)
    {
        var blob = context.RequestServices.GetRequiredService<ArtifactTickets>().Open(context.Request.Query["ticket"].ToString(), "put");
        ArtifactProxy.AllowLarge(context);
        var stored = await context.RequestServices.GetRequiredService<ArtifactStore>().PutAsync(blob, context.Request.Body, context.Request.ContentType ?? "application/octet-stream", ct);
        context.Response.Headers.ETag = stored.ETag;
        context.Response.StatusCode = StatusCodes.Status200OK;
    }
}
