using System.Text;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Live;

/// <summary>A piece of a log file: the bytes from <paramref name="Offset"/> to <paramref name="End"/>, as text.</summary>
internal sealed record LogPiece(string Path, long Offset, long End, string Text);

/// <summary>What a run's log files have grown by, for one reader. Woken by the files; used by one reader at a time.</summary>
internal sealed class FeedLogs(IBlobStore store, LogFolders folders, BlobAddress root, IReadOnlyDictionary<string, long> sent) : IDisposable
{
    /// <summary>The folders of a run's artifacts in which its logs lie.</summary>
    public static readonly IReadOnlyList<string> Folders = ["user_logs", "logs/azureml"];

    private const int MostFiles = 100;
    private const int PieceBytes = 64 * 1024;

    private readonly Dictionary<string, long> offsets = new(sent, StringComparer.Ordinal);
    private readonly Dictionary<string, (string Path, IDisposable? Watch)> watches = new(StringComparer.Ordinal);
    private int changed = 1;

    /// <summary>Bytes sent of each file, by <see cref="FeedCursor.LogKey"/>.</summary>
    public IReadOnlyDictionary<string, long> Offsets => new Dictionary<string, long>(offsets, StringComparer.Ordinal);

    /// <summary>
    /// Watches the folders, and of one that is not there yet what it will be made in; growth from then on calls <paramref name="wake"/>. Call it again after each wake: it goes down
    /// to what has been made.
    /// </summary>
    public void Watch(Action wake)
    {
        foreach (var folder in Folders)
        {
            // What is made between the look and the watch is seen by the next look.
            while (Nearest(folder) is { } path && watches.GetValueOrDefault(folder) is var known && (known.Path != path || known.Watch is null))
            {
                known.Watch?.Dispose();
                watches[folder] = (path, folders.Follow(path, () =>
                {
                    Interlocked.Exchange(ref changed, 1);
                    wake();
                }));
                changed = 1;
                if (watches[folder].Watch is null)
                {
                    break;
                }
            }
        }
    }

    /// <summary>True after files changed; always when a folder cannot be watched, so that its files are looked at as often as the stream wakes.</summary>
    public bool TakeChanged() => Interlocked.Exchange(ref changed, 0) != 0 || watches.Values.Any(watch => watch.Watch is null);

    /// <summary>The folder, or else the nearest above it that is there.</summary>
    private string? Nearest(string folder)
    {
        for (var name = $"{root.Name}/{folder}"; ; name = name[..Math.Max(0, name.LastIndexOf('/'))])
        {
            var path = store.TryGetLocalPath(root.At(name));
            if (path is not null || name.Length == 0)
            {
                return path;
            }
        }
    }

    /// <summary>What is there and not sent, piece by piece; a piece that is handed out counts as sent.</summary>
    public async IAsyncEnumerable<LogPiece> GrowthAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var folder in Folders)
        {
            var place = root.Child(folder);
            foreach (var file in (await store.ListAsync(place.At(place.Name + "/"), MostFiles, null, ct)).Items)
            {
                await foreach (var piece in GrowthAsync(place.At(file.Name), file.Name[(root.Name.Length + 1)..], ct))
                {
                    yield return piece;
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var watch in watches.Values)
        {
            watch.Watch?.Dispose();
        }
    }

    private async IAsyncEnumerable<LogPiece> GrowthAsync(BlobAddress file, string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var key = FeedCursor.LogKey(path);
        var offset = offsets.GetValueOrDefault(key);
        await using var stream = await store.OpenReadAsync(file, ct);
        if (stream is null || stream.Length <= offset)
        {
            yield break;
        }

        stream.Seek(offset, SeekOrigin.Begin);
        var buffer = new byte[PieceBytes];
        var kept = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer.AsMemory(kept), ct)) > 0)
        {
            var whole = Utf8Text.WholeCharacters(buffer.AsSpan(0, kept + read));
            var piece = new LogPiece(path, offset, offset + whole, Encoding.UTF8.GetString(buffer, 0, whole));
            offset = offsets[key] = piece.End;
            kept = kept + read - whole;
            buffer.AsSpan(whole, kept).CopyTo(buffer);
            yield return piece;
        }
    }
}
