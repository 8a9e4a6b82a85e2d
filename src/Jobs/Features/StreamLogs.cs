using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Zaffre.Jobs.Execution;
using Zaffre.Web;

namespace Zaffre.Jobs.Features;

/// <summary>
/// GET <c>/zaffre/v1{W}/jobs/{name}/logs</c>: the job's log, as plain text; with <c>follow=true</c> the answer goes on until the job has
/// ended. <c>Accept: text/event-stream</c> asks for server-sent events instead: <c>log</c> events carry text as a JSON string, and as their id
/// the byte offset after it (send it as <c>Last-Event-ID</c> to go on from there); <c>status</c> events carry the job's state, the last one the
/// terminal state and, if there is one, the error.
/// </summary>
internal static class StreamLogs
{
    public static void Map(IEndpointRouteBuilder workspace) =>
        workspace.MapGet("jobs/{name}/logs", HandleAsync).Requires("workspaces/jobs/read");

    private static async Task<IResult> HandleAsync(string name, WorkspaceRef workspace, HttpContext context, LogFollowing following, IHostApplicationLifetime server, CancellationToken ct)
    {
        var id = workspace.Child("jobs", name);
        if (await following.FindAsync(id, ct) is not { } job)
        {
            return ArmResults.Problem(ArmErrors.NotFound(id));
        }

        var query = context.Request.Query["follow"].ToString();
        if (query is not ("" or "true" or "false"))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"follow must be true or false; it is '{query}'.", "follow"));
        }

        var last = context.Request.Headers["Last-Event-ID"].ToString();
        if (!long.TryParse(last.Length == 0 ? "0" : last, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var offset))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"Last-Event-ID must be the id of an event; it is '{last}'.", "Last-Event-ID"));
        }

        var asEvents = context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        context.Response.ContentType = asEvents ? "text/event-stream" : "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, server.ApplicationStopping);
        try
        {
            await following.WriteAsync(job, offset, follow: query == "true", new LogFrames(context.Response.Body, asEvents), either.Token);
        }
        catch (OperationCanceledException) when (server.ApplicationStopping.IsCancellationRequested)
        {
            // A reader must not hold up the server's end. The answer breaks off: an orderly end would say that the job has ended.
            context.Abort();
        }

        return Results.Empty;
    }
}
