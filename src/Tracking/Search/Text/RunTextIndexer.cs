using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Zaffre.Tracking.Search.Text;

/// <summary>Keeps the index of what runs say up to date, when the writer has nothing better to do.</summary>
internal sealed class RunTextIndexer(RunTextIndex index, TimeProvider time, ILogger<RunTextIndexer> log) : BackgroundService
{
    private const int ShareOfWriter = 9;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = Pause;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(pause, time, stoppingToken);
            try
            {
                pause = Pause;
                while (await index.IsBehindAsync(stoppingToken))
                {
                    var began = time.GetTimestamp();
                    await index.IndexSomeAsync(stoppingToken);

                    // It waited for others when it took long: then they come first.
                    await Task.Delay(time.GetElapsedTime(began) * ShareOfWriter, time, stoppingToken);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                TrackingLog.TextNotIndexed(log, exception);
                pause = PauseAfterFailure;
            }
        }
    }
}
