using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Zaffre.Recording.Capture;

/// <summary>Sees every request before and after everything else, and hands copies to the recorder; never waits for it.</summary>
internal sealed class RecordingMiddleware(Recorder recorder, RecordingOptions options) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(CaptureAsync);
        next(app);
    };

    private async Task CaptureAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is "/healthz" or "/readyz")
        {
            await next(context);
            return;
        }

        var began = Stopwatch.GetTimestamp();
        var raw = new RawExchange(recorder.NextNumber(), context, options.BodyLimit);
        var own = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var answer = new AnswerTee(own, raw.AnswerBody);
        context.Request.Body = new TeeStream(context.Request.Body, raw.RequestBody);
        context.Features.Set<IHttpResponseBodyFeature>(answer);
        var whole = false;
        try
        {
            await next(context);
            await answer.FinishAsync();
            whole = !context.RequestAborted.IsCancellationRequested;
        }
        finally
        {
            context.Features.Set(own);
            raw.End(context.Response, Stopwatch.GetElapsedTime(began), whole);
            recorder.Offer(raw);
        }
    }
}
