using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Zaffre.Gateway.Scoring;
using Zaffre.Gateway.Workers;

namespace Zaffre.Gateway.Onnx;

/// <summary>Scores one request in this process. The body has been read and the request counted in.</summary>
internal static class OnnxScoring
{
    public static async ValueTask<ScoringEnd> RunAsync(HttpContext context, DeploymentPool pool, OnnxCall call, ReadOnlyMemory<byte> body)
    {
        var deadline = Stopwatch.GetTimestamp() + (pool.Route.RequestTimeoutMs * (Stopwatch.Frequency / 1000));
        if (pool.Onnx is not { } models || await models.AcquireAsync(Left(deadline)) is not { } serving)
        {
            await ScoringError.NobodyLives.WriteAsync(context);
            return ScoringEnd.Failed;
        }

        try
        {
            var (model, refusal) = call.Choose(serving);
            if (model is null)
            {
                await refusal!.WriteAsync(context);
                return ScoringEnd.Invalid;
            }

            if (!await models.Runs.EnterAsync(Math.Max(1, Math.Min(Left(deadline), pool.Route.MaxQueueWaitMs))))
            {
                await ScoringError.QueueTimeout.WriteAsync(context);
                return ScoringEnd.Rejected;
            }

            var slot = model.Rent();
            try
            {
                var (end, micros) = await WorkAsync(new OnnxWork(call, slot, serving.Guard, body, deadline), models.Runs);
                return await AnswerAsync(context, call, slot, (end, micros));
            }
            finally
            {
                model.Return(slot);
            }
        }
        finally
        {
            serving.Release();
        }
    }

    // A place is held while the model runs, not while the answer is sent. Long runs do not take the threads that serve connections.
    private static async ValueTask<(ScoringEnd End, double Micros)> WorkAsync(OnnxWork work, RunGate runs)
    {
        var model = work.Slot.Model;
        try
        {
            if (model.Batcher is { } batcher)
            {
                return work.Read() is not ScoringEnd.Succeeded and var end ? (end, 0) : await batcher.RunAsync(work);
            }

            return model.IsQuick
                ? work.Run()
                : await Task.Factory.StartNew(static w => ((OnnxWork)w!).Run(), work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            runs.Leave();
        }
    }

    private static async ValueTask<ScoringEnd> AnswerAsync(HttpContext context, OnnxCall call, OnnxSlot slot, (ScoringEnd End, double Micros) done)
    {
        if (done.End == ScoringEnd.TimedOut)
        {
            await ScoringError.Timeout.WriteAsync(context);
            return done.End;
        }

        var response = context.Response;
        response.Headers["x-ms-run-function-failed"] = done.End == ScoringEnd.ModelError ? "True" : "False";
        response.Headers["x-ms-run-fn-exec-ms"] = (done.Micros / 1000).ToString("F3");
        response.ContentType = "application/json";
        switch (done.End)
        {
            case ScoringEnd.Invalid:
                response.StatusCode = slot.Status;
                break;
            case ScoringEnd.ModelError:
                response.StatusCode = 424;
                response.Headers["ms-azureml-model-error-statuscode"] = "500";
                response.Headers["ms-azureml-model-error-reason"] = "model_error";
                break;
            default:
                call.Stamp(response);
                break;
        }

        response.ContentLength = slot.Bytes.WrittenCount;
        await response.BodyWriter.WriteAsync(slot.Bytes.WrittenMemory, context.RequestAborted);
        return done.End;
    }

    private static int Left(long deadline) => (int)Math.Clamp((deadline - Stopwatch.GetTimestamp()) / (Stopwatch.Frequency / 1000), 1, int.MaxValue);
}
