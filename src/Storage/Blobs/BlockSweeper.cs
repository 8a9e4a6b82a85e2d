using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Zaffre.Storage.Blobs;

/// <summary>Once a day, deletes uncommitted blocks that nobody added to for a week, as the service does.</summary>
internal sealed class BlockSweeper(BlockStage stage, TimeProvider time, ILogger<BlockSweeper> log) : BackgroundService
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not in the way of the start.
        for (var wait = TimeSpan.FromMinutes(5); ; wait = TimeSpan.FromDays(1))
        {
            await Task.Delay(wait, time, stoppingToken);
            try
            {
                StorageLog.BlocksSwept(log, stage.Sweep(time.GetUtcNow() - Kept));
            }
            catch (IOException error)
            {
                StorageLog.SweepFailed(log, error);
            }
        }
    }
}
