using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Zaffre.Database;

/// <summary>Seals committed events, off the write path: at most once a second, at most 1,000 events a seal.</summary>
internal sealed class EventSealer(IEventLog events, SealFile seals, TimeProvider time, ILogger<EventSealer> log) : BackgroundService
{
    private const int EventsPerSeal = 1000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await events.WaitAsync(seals.Last?.Last ?? 0, stoppingToken);
                await SealAsync(stoppingToken);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (IOException exception)
            {
                DatabaseLog.SealingFailed(log, exception);
                await Task.Delay(TimeSpan.FromSeconds(5), time, CancellationToken.None);
            }
        }
    }

    private async Task SealAsync(CancellationToken ct)
    {
        while (await events.ReadAsync(seals.Last?.Last ?? 0, EventsPerSeal, ct) is { Count: > 0 } batch)
        {
            seals.Append(batch, time.GetUtcNow());
        }
    }
}
