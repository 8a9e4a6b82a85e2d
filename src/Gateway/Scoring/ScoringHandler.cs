using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Zaffre.Gateway.Inference;
using Zaffre.Gateway.Onnx;
using Zaffre.Gateway.Routing;
using Zaffre.Gateway.Workers;
using Zaffre.Kernel;

namespace Zaffre.Gateway.Scoring;

/// <summary>Answers every request of the data plane: finds the endpoint, checks the credential, chooses the deployment, scores.</summary>
internal sealed class ScoringHandler(LiveTable table, ILogger<ScoringHandler> log)
{
    private const int MaxIdLength = 100;

    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value.AsSpan().TrimStart('/');
        var slash = path.IndexOf('/');
        var name = slash < 0 ? path : path[..slash];
        var rest = slash < 0 ? default : path[(slash + 1)..].TrimEnd('/');
        if (name.Length == 0 || (slash < 0 && name is "healthz"))
        {
            return WriteTextAsync(context, "Healthy");
        }

        if (table.Find(name) is not { } endpoint)
        {
            return ScoringError.NoEndpoint(name.ToString()).WriteAsync(context);
        }

        switch (endpoint.Check(context.Request.Headers.Authorization))
        {
            case Access.Missing:
                return ScoringError.NoCredential.WriteAsync(context);
            case Access.Denied:
                return ScoringError.Denied.WriteAsync(context);
        }

        return rest switch
        {
            "score" or "invocations" => ScoreAsync(context, endpoint, mlflow: rest.Length > 5),
            _ when InferenceRoutes.Has(rest) => InferenceRoutes.HandleAsync(context, Chosen(context, endpoint), rest.ToString(), (pool, call) => CountAsync(context, pool, mirror: null, call)),
            "" => WriteTextAsync(context, "Healthy"),
            "swagger.json" => Swagger.WriteAsync(context, endpoint.Name, Chosen(context, endpoint)),
            "ping" or "health" or "version" => AboutAsync(context, endpoint, rest.ToString()),
            _ => ScoringError.NoRoute(context.Request.Path.Value ?? "/").WriteAsync(context),
        };
    }

    private static DeploymentPool? Chosen(HttpContext context, LiveEndpoint endpoint) =>
        endpoint.Choose(context.Request.Headers["azureml-model-deployment"], Random.Shared);

    // MLflow's routes about a model: whether it is loaded, and the version that wrote it.
    private static Task AboutAsync(HttpContext context, LiveEndpoint endpoint, string route) => Chosen(context, endpoint) switch
    {
        null => ScoringError.NoTraffic.WriteAsync(context),
        { Open: 0 } => ScoringError.NobodyLives.WriteAsync(context),
        { Description.Version: { } version } => WriteTextAsync(context, route == "version" ? version : "\n"),
        { } pool when route == "version" => ScoringError.NotOfMlflow(route, pool.Route.Name).WriteAsync(context),
        _ => WriteTextAsync(context, "\n"),
    };

    private Task ScoreAsync(HttpContext context, LiveEndpoint endpoint, bool mlflow) => Chosen(context, endpoint) switch
    {
        null => ScoringError.NoTraffic.WriteAsync(context),
        { } pool when mlflow && pool.Description is { Invocations: false } => ScoringError.NotOfMlflow("invocations", pool.Route.Name).WriteAsync(context),
        { } pool => CountAsync(context, pool, endpoint.ChooseMirror(context.Request.Headers["azureml-model-deployment"], Random.Shared), CallOf(context.Request, pool, mlflow)),
    };

    // A call is for models of this process; without one an instance scores.
    private static ScoreCall? CallOf(HttpRequest request, DeploymentPool pool, bool mlflow) => pool.Onnx is null ? null : new ScoreCall(request, mlflow);

    private async Task CountAsync(HttpContext context, DeploymentPool pool, DeploymentPool? mirror, OnnxCall? call)
    {
        var started = Stopwatch.GetTimestamp();
        var requestId = StampIds(context, pool.Route.Name);
        var end = ScoringEnd.Failed;
        try
        {
            end = await ReadAsync(context, pool, mirror, requestId, call);
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException or OperationCanceledException)
        {
            log.RequestBroken(e.Message);
            await (e is BadHttpRequestException ? ScoringError.SlowBody.WriteAsync(context) : Task.CompletedTask);
        }
        finally
        {
            pool.Counters.Add(end, Stopwatch.GetElapsedTime(started));
        }
    }

    // The body is read before the request counts as pending, so that slow senders do not take the places of others;
    // when all places are taken already, it is not read at all.
    private async ValueTask<ScoringEnd> ReadAsync(HttpContext context, DeploymentPool pool, DeploymentPool? mirror, string requestId, OnnxCall? call)
    {
        var limit = pool.Route.MaxBodyBytes;
        if (pool.IsFull)
        {
            await ScoringError.TooManyPending.WriteAsync(context);
            return ScoringEnd.Rejected;
        }

        if (await PooledBody.ReadAsync(context.Request, limit, context.RequestAborted) is not { } read)
        {
            await ScoringError.TooLarge(limit).WriteAsync(context);
            return ScoringEnd.Rejected;
        }

        using var body = read;
        if (!pool.TryEnter())
        {
            await ScoringError.TooManyPending.WriteAsync(context);
            return ScoringEnd.Rejected;
        }

        try
        {
            return await (call is null ? RunAsync(context, pool, requestId, body.Memory) : OnnxScoring.RunAsync(context, pool, call, body.Memory));
        }
        finally
        {
            pool.Leave();
            if (mirror is not null)
            {
                Mirror(context, body.Memory, mirror);
            }
        }
    }

    // The answer is on its way by now. A copy that finds no place is dropped and counted.
    private void Mirror(HttpContext context, ReadOnlyMemory<byte> body, DeploymentPool pool)
    {
        if (pool.IsFull)
        {
            pool.Counters.Add(ScoringEnd.Rejected, TimeSpan.Zero);
            return;
        }

        var copy = MirroredRequest.Of(context.Request, body);
        var mlflow = copy.Request.Path.Value!.TrimEnd('/').EndsWith("/invocations", StringComparison.Ordinal);
        _ = Task.Run(() => CountAsync(copy, pool, mirror: null, CallOf(copy.Request, pool, mlflow)));
    }

    private async ValueTask<ScoringEnd> RunAsync(HttpContext context, DeploymentPool pool, string requestId, ReadOnlyMemory<byte> body)
    {
        var timeout = pool.Route.RequestTimeoutMs;
        var deadline = Stopwatch.GetTimestamp() + (timeout * (Stopwatch.Frequency / 1000));
        while (true)
        {
            var (rented, connection) = await pool.RentAsync(deadline);
            if (connection is null)
            {
                await (rented == RentEnd.QueueTimeout ? ScoringError.QueueTimeout : ScoringError.NobodyLives).WriteAsync(context);
                return rented == RentEnd.QueueTimeout ? ScoringEnd.Rejected : ScoringEnd.Failed;
            }

            var left = (int)Math.Max(1, (deadline - Stopwatch.GetTimestamp()) / (Stopwatch.Frequency / 1000));
            var (end, frame) = await connection.ExchangeAsync(RequestHead.Build(context.Request, requestId, connection.WantsHeaders), body, left);
            switch (end)
            {
                case ExchangeEnd.Answered:
                    return await AnswerAsync(context, pool, connection, frame);
                case ExchangeEnd.TimedOut:
                    log.RunTimedOut(pool.Route.Name, connection.ProcessId, timeout);
                    pool.Recycle(connection);
                    await ScoringError.Timeout.WriteAsync(context);
                    return ScoringEnd.TimedOut;
                case ExchangeEnd.Died:
                    log.ProcessDied(pool.Route.Name, connection.ProcessId);
                    await ScoringError.Died.WriteAsync(context);
                    return ScoringEnd.Failed;
                default:
                    continue;
            }
        }
    }

    private static async ValueTask<ScoringEnd> AnswerAsync(HttpContext context, DeploymentPool pool, WorkerConnection connection, WorkerFrame frame)
    {
        var response = context.Response;
        var failed = frame.Flags.HasFlag(FrameFlags.RunFailed);
        if (frame.HeadLength > 0 && !await ResponseHead.ApplyAsync(response, connection, frame.HeadLength))
        {
            connection.Abandon();
            await ScoringError.Died.WriteAsync(context);
            return ScoringEnd.Failed;
        }

        if (frame.Flags.HasFlag(FrameFlags.Json))
        {
            response.ContentType = "application/json";
        }

        response.Headers["x-ms-run-function-failed"] = failed ? "True" : "False";
        response.Headers["x-ms-run-fn-exec-ms"] = (frame.Number / 1000.0).ToString("F3");
        var succeeded = frame.Status is >= 200 and < 300;
        var own = succeeded || frame.Flags.HasFlag(FrameFlags.OwnStatus);
        response.StatusCode = own ? frame.Status : 424;
        if (!own)
        {
            response.Headers["ms-azureml-model-error-statuscode"] = frame.Status.ToString();
            response.Headers["ms-azureml-model-error-reason"] = failed ? "model_error" : "model_status";
        }

        if (frame.Flags.HasFlag(FrameFlags.Streamed))
        {
            return await ResponseStream.CopyAsync(context, connection, pool);
        }

        if (!await ResponseBody.CopyAsync(response, connection, frame.BodyLength, pool))
        {
            await ScoringError.Died.WriteAsync(context);
            return ScoringEnd.Failed;
        }

        return succeeded ? ScoringEnd.Succeeded : own ? ScoringEnd.Invalid : ScoringEnd.ModelError;
    }

    /// <summary>The ids that the inference server of Azure answers with: the client's when it sent one that fits, else a new one.</summary>
    private static string StampIds(HttpContext context, string deployment)
    {
        var sent = context.Request.Headers;
        var headers = context.Response.Headers;
        var id = sent["x-request-id"] is [{ Length: > 0 and <= MaxIdLength } own] && HeaderText.CanCarry(own) ? own : Guid.NewGuid().ToString();
        headers["x-request-id"] = id;
        if (sent["x-ms-client-request-id"] is [{ Length: > 0 and <= MaxIdLength } client] && HeaderText.CanCarry(client))
        {
            headers["x-ms-client-request-id"] = client;
            headers["x-ms-request-id"] = client;
        }
        else
        {
            headers["x-ms-request-id"] = id;
        }

        headers["azureml-model-deployment"] = deployment;
        return id;
    }

    private static Task WriteTextAsync(HttpContext context, string text)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
