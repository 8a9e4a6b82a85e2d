namespace Zaffre.Storage;

/// <summary>A file of a manifest: <paramref name="Sha256"/> is 64 lower-case hex digits, <paramref name="Size"/> is in bytes.</summary>
public sealed record ContentFile(string Name, string Sha256, long Size);

/// <summary>A file that two contents do not share: the digest is null where there is none of that name.</summary>
public sealed record ContentChange(string Name, string? Before, string? After);

/// <summary>How two contents differ: how many files do, and the first of them by name.</summary>
public sealed record ContentDifference(long Count, IReadOnlyList<ContentChange> First);

/// <summary>What lies at a place, found out without keeping it: <paramref name="Files"/> are all of its files, or null when they are too many to be told;
/// <paramref name="Read"/> is how many bytes had to be read.</summary>
public sealed record PeekedContent(FolderDigest Digest, IReadOnlyList<ContentFile>? Files, long Read);

/// <summary>
/// What lies at places, by content. Digests are those of <see cref="IBlobStore.DigestAsync"/>; what was found out is kept, and a file is read again only
/// when its inode, size, modification or change time is another. Memory is bounded whatever lies there. Thread safe.
/// </summary>
public interface IContentDigests
{
    /// <summary>The digest of what lies at a place now: a blob, or everything below a folder; of nothing when there is nothing (<c>Files</c> is 0).</summary>
    Task<FolderDigest> OfAsync(BlobAddress place, CancellationToken ct);

    /// <summary>
    /// As <see cref="OfAsync"/>, with nothing written: what was found out before is used, what is found out now is forgotten. Null when more than
    /// <paramref name="mostBytes"/> would have to be read.
    /// </summary>
    Task<PeekedContent?> PeekAsync(BlobAddress place, long mostBytes, CancellationToken ct);

    /// <summary>The digest that content would have; the files in any order, a single file with an empty name.</summary>
    FolderDigest Of(IEnumerable<ContentFile> files);

    /// <summary>How two contents differ, with at most <paramref name="most"/> names; null when one of them was never digested here.</summary>
    Task<ContentDifference?> CompareAsync(string before, string after, int most, CancellationToken ct);

    /// <summary>As <see cref="CompareAsync(string, string, int, CancellationToken)"/>, with content that lies nowhere yet; its files in any order.</summary>
    Task<ContentDifference?> CompareAsync(string before, IReadOnlyList<ContentFile> after, int most, CancellationToken ct);
}
