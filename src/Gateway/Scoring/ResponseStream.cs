using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Scoring;

/// <summary>
/// A streamed answer on its way to the caller: every piece is sent when it comes. Status and headers are on the wire by then, so what
/// goes wrong later ends the connection; server-sent events say it in an event of their own first.
/// </summary>
internal static class ResponseStream
{
    public static async ValueTask<ScoringEnd> CopyAsync(HttpContext context, WorkerConnection connection, DeploymentPool pool)
    {
        var response = context.Response;
        await response.StartAsync(context.RequestAborted);
        while (await connection.ReadPieceAsync() is { } piece)
        {
            if (piece.BodyLength == 0)
            {
                return End(context, connection, pool, piece.Flags.HasFlag(FrameFlags.RunFailed));
            }

            if (!await PassAsync(response, connection, piece.BodyLength))
            {
                break;
            }
        }

        connection.Abandon();
        if (connection.HasTimedOut)
        {
            pool.Recycle(connection);
        }

        var left = context.RequestAborted.IsCancellationRequested;
        context.Abort();
        return connection.HasTimedOut ? ScoringEnd.TimedOut : left ? ScoringEnd.Succeeded : ScoringEnd.Failed;
    }

    private static ScoringEnd End(HttpContext context, WorkerConnection connection, DeploymentPool pool, bool failed)
    {
        ResponseBody.Finish(connection, pool);
        if (failed && context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) != true)
        {
            context.Abort();
        }

        return failed ? ScoringEnd.ModelError : ScoringEnd.Succeeded;
    }

    // False when the process or the caller is gone.
    private static async ValueTask<bool> PassAsync(HttpResponse response, WorkerConnection connection, int length)
    {
        while (length > 0)
        {
            var memory = response.BodyWriter.GetMemory(Math.Min(length, 16 * 1024));
            memory = memory[..Math.Min(memory.Length, length)];
            if (!await connection.FillAsync(memory))
            {
                return false;
            }

            response.BodyWriter.Advance(memory.Length);
            length -= memory.Length;
            try
            {
                var flushed = await response.BodyWriter.FlushAsync(response.HttpContext.RequestAborted);
                if (flushed.IsCanceled || flushed.IsCompleted)
                {
                    return false;
                }
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        return true;
    }
}
