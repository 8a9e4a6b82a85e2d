using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Zaffre.Recording.Capture;

/// <summary>The answer's body as the handlers see it: everything goes to the server's own, flush by flush.</summary>
internal sealed class AnswerTee(IHttpResponseBodyFeature inner, CapturedBody captured) : IHttpResponseBodyFeature
{
    private PipeWriter? writer;

    public Stream Stream { get; } = new TeeStream(inner.Stream, captured);

    public PipeWriter Writer => writer ??= PipeWriter.Create(Stream, new StreamPipeWriterOptions(leaveOpen: true));

    public void DisableBuffering() => inner.DisableBuffering();

    public async Task StartAsync(CancellationToken cancellationToken = default) => await inner.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    public async Task CompleteAsync()
    {
        await FinishAsync();
        await inner.CompleteAsync();
    }

    /// <summary>Passes on what a handler wrote and did not flush.</summary>
    public async Task FinishAsync()
    {
        if (writer is { } open)
        {
            await open.CompleteAsync();
        }
    }
}
