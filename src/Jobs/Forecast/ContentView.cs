using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Storage;

namespace Zaffre.Jobs.Forecast;

/// <summary>
/// What lies at places, and what would lie there after the uploads of a submission, looked at without keeping anything. What was never read is read up to
/// a bound. One plan's; not thread safe.
/// </summary>
internal sealed class ContentView(IContentDigests digests) : IComingContent
{
    private const long MostBytes = 2L << 30;

    private readonly Dictionary<BlobAddress, (string Placeholder, LocalContent Content)> coming = [];
    private readonly Dictionary<BlobAddress, PeekedContent?> seen = [];
    private readonly Dictionary<string, IReadOnlyList<ContentFile>> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Placeholder, LocalContent Content)> local = new(StringComparer.Ordinal);
    private readonly HashSet<(string Placeholder, string File)> wanted = [];
    private long left = MostBytes;

    /// <summary>The files whose lines would tell more.</summary>
    public IReadOnlyCollection<(string Placeholder, string File)> Wanted => wanted;

    /// <summary>Adds what will lie at a place.</summary>
    public void Add(BlobAddress place, string placeholder, LocalContent content)
    {
        coming[Plain(place)] = (placeholder, content);
        local.TryAdd(content.Digest.Sha256, (placeholder, content));
        if (content.Files is { } listed)
        {
            files[content.Digest.Sha256] = listed;
        }
    }

    /// <summary>Looks at a place, once; null when there is too much to read.</summary>
    public async Task<FolderDigest?> LookAsync(BlobAddress place, CancellationToken ct)
    {
        var at = Plain(place);
        if (coming.TryGetValue(at, out var known))
        {
            return known.Content.Digest;
        }

        if (!seen.TryGetValue(at, out var peeked))
        {
            seen[at] = peeked = await PeekAsync(at, ct);
            left -= peeked?.Read ?? 0;
            if (peeked?.Files is { } listed)
            {
                files.TryAdd(peeked.Digest.Sha256, listed);
            }
        }

        return peeked?.Digest;
    }

    /// <summary>What was found by <see cref="LookAsync"/>; null when nothing was.</summary>
    public FolderDigest? Find(BlobAddress place) =>
        coming.TryGetValue(Plain(place), out var known) ? known.Content.Digest : seen.GetValueOrDefault(Plain(place))?.Digest;

    /// <inheritdoc/>
    public IReadOnlyList<ContentFile>? FilesOf(string digest) => files.GetValueOrDefault(digest);

    /// <inheritdoc/>
    public bool IsElsewhere(string digest) => local.ContainsKey(digest);

    /// <inheritdoc/>
    public string[]? LinesOf(string digest, string file)
    {
        var (placeholder, content) = local[digest];
        if (content.Lines.TryGetValue(file, out var lines))
        {
            return lines;
        }

        wanted.Add((placeholder, file));
        return null;
    }

    private async Task<PeekedContent?> PeekAsync(BlobAddress place, CancellationToken ct)
    {
        try
        {
            return await Task.Run(() => digests.PeekAsync(place, left, ct), ct);
        }
        catch (IOException)
        {
            // What cannot be read is as nothing: the step runs, and fails as it would have.
            return new PeekedContent(new FolderDigest("", 0, 0), null, 0);
        }
    }

    private static BlobAddress Plain(BlobAddress place) => place.At(place.Name.TrimEnd('/'));
}
