using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Recording.Sanitizing;

namespace Zaffre.Recording.Capture;

/// <summary>Sanitizes and writes what the middleware saw, on one background task. What it cannot keep up with is left out and counted.</summary>
internal sealed class Recorder(RecordingWriter files, RecordingOptions options, ILogger<Recorder> log) : BackgroundService
{
    private const long MostWaiting = 64 * 1024 * 1024;

    private readonly Channel<RawExchange> waiting = Channel.CreateUnbounded<RawExchange>(new UnboundedChannelOptions { SingleReader = true });
    private readonly long began = Stopwatch.GetTimestamp();
    private long number;
    private long held;
    private long dropped;

    public long NextNumber() => Interlocked.Increment(ref number);

    /// <summary>Takes the exchange over; returns at once.</summary>
    public void Offer(RawExchange exchange)
    {
        exchange.At = Stopwatch.GetElapsedTime(began) - exchange.Elapsed;
        if (Interlocked.Add(ref held, exchange.Held) <= MostWaiting && waiting.Writer.TryWrite(exchange))
        {
            return;
        }

        Interlocked.Add(ref held, -exchange.Held);
        Interlocked.Increment(ref dropped);
        exchange.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        waiting.Writer.TryComplete();
        await (ExecuteTask ?? Task.CompletedTask).WaitAsync(cancellationToken);
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        files.Dispose();
        base.Dispose();
    }

    // Ends when the channel is complete, so that what the last requests left is written too.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        RecordingLog.Records(log, options.Folder);
        var sanitizer = new Sanitizer(options.Data);
        await foreach (var raw in waiting.Reader.ReadAllAsync(CancellationToken.None))
        {
            using (raw)
            {
                Interlocked.Add(ref held, -raw.Held);
                if (Sanitized(sanitizer, raw) is { } exchange && !await WriteAsync(exchange with { Dropped = Interlocked.Exchange(ref dropped, 0) }))
                {
                    return;
                }
            }
        }
    }

    // What cannot be sanitized is not written.
    private Exchange? Sanitized(Sanitizer sanitizer, RawExchange raw)
    {
        try
        {
            return sanitizer.Clean(raw);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            RecordingLog.NotSanitized(log, raw.Number, exception.GetType().Name);
            return null;
        }
    }

    private async Task<bool> WriteAsync(Exchange exchange)
    {
        try
        {
            await files.WriteAsync(exchange);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            waiting.Writer.TryComplete();
            RecordingLog.WriteFailed(log, exception, files.Current);
            return false;
        }
    }
}
