using System.Threading.Channels;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution;

/// <summary>Wakes one reader when a log file grows (inotify on its folder), or when it is told to.</summary>
internal sealed class LogWatch(IBlobStore store, BlobAddress log) : IDisposable
{
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private FileSystemWatcher? watcher;

    /// <summary>Begins to watch once the folder is there; growth after this call wakes.</summary>
    public void Begin()
    {
        var slash = log.Name.LastIndexOf('/');
        if (watcher is not null || store.TryGetLocalPath(log.At(log.Name[..slash])) is not { } folder)
        {
            return;
        }

        watcher = new FileSystemWatcher(folder, log.Name[(slash + 1)..]) { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.FileName };
        watcher.Changed += (_, _) => Wake();
        watcher.Created += (_, _) => Wake();
        watcher.EnableRaisingEvents = true;
    }

    public void Wake() => wake.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken ct) => await wake.Reader.ReadAsync(ct);

    public void Dispose() => watcher?.Dispose();
}
