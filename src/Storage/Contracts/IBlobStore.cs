using Zaffre.Kernel;

namespace Zaffre.Storage;

/// <summary>One blob, or with a name that is a folder, all blobs below it. <paramref name="Name"/> has no leading slash; empty means the container.</summary>
public readonly record struct BlobAddress(string Account, string Container, string Name)
{
    /// <summary>The same container, another name.</summary>
    public BlobAddress At(string name) => this with { Name = name };

    /// <summary>A name below this folder: exactly one slash between them.</summary>
    public BlobAddress Child(string relative) => this with { Name = Name.Length == 0 ? relative : $"{Name.TrimEnd('/')}/{relative}" };

    /// <summary>For messages only.</summary>
    public override string ToString() => $"{Account}/{Container}/{Name}";
}

/// <summary>What is known of a blob.</summary>
public sealed record BlobInfo
{
    public required string Name { get; init; }

    /// <summary>Size in bytes at the time of asking; a log that is being written grows.</summary>
    public required long Size { get; init; }

    /// <summary>Strong ETag with quotes, derived from the file's inode, size and modification time.</summary>
    public required string ETag { get; init; }

    public required DateTimeOffset LastModified { get; init; }

    public string ContentType { get; init; } = "application/octet-stream";

    /// <summary>MD5 of the content (16 bytes) when it is known.</summary>
    public byte[]? ContentMd5 { get; init; }

    /// <summary>User metadata; names compare without case.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>How to write a blob.</summary>
public sealed record BlobWrite
{
    public string ContentType { get; init; } = "application/octet-stream";

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Fail with <c>BlobAlreadyExists</c> instead of replacing.</summary>
    public bool OnlyIfAbsent { get; init; }
}

/// <summary>A digest over a whole folder. <paramref name="Sha256"/> (64 lower-case hex digits) is over the sorted manifest lines
/// <c>{sha256 of file} {size} {relative name}\n</c>, so it depends on names and contents only.</summary>
public sealed record FolderDigest(string Sha256, long Files, long Bytes);

/// <summary>
/// Blobs, for the modules of this server. Blobs are plain files; no symbolic link, device or pipe below the store is ever followed,
/// opened or listed. Thread safe: each write replaces a blob atomically, the last one wins. Expected failures are problems with the
/// codes of the blob protocol (<c>BlobNotFound</c> is a null instead).
/// </summary>
public interface IBlobStore
{
    /// <summary>The blob, or null.</summary>
    Task<BlobInfo?> FindAsync(BlobAddress blob, CancellationToken ct);

    /// <summary>A stream over the blob as long as it is now, or null. The caller disposes it.</summary>
    Task<Stream?> OpenReadAsync(BlobAddress blob, CancellationToken ct);

    /// <summary>Creates or replaces the blob; durable when it returns. The container must exist.</summary>
    Task<Outcome<BlobInfo>> PutAsync(BlobAddress blob, Stream content, BlobWrite options, CancellationToken ct);

    /// <summary>Appends to the blob, creating it when absent.</summary>
    Task<Outcome<BlobInfo>> AppendAsync(BlobAddress blob, ReadOnlyMemory<byte> content, CancellationToken ct);

    /// <summary>
    /// Writes lines of a log that the server keeps: all of its file, or its end. They are seen at once; like the log that a task writes, the file has no row and is not
    /// synced, so a machine that dies may lose its last lines. A problem when it cannot be written.
    /// </summary>
    Problem? WriteLog(BlobAddress blob, ReadOnlySpan<byte> lines, bool append);

    /// <summary>Blobs whose name starts with the address's name (a plain prefix), ordered by name (by code point), at most <paramref name="top"/>.</summary>
    Task<Page<BlobInfo>> ListAsync(BlobAddress prefix, int top, string? continuation, CancellationToken ct);

    /// <summary>Deletes the blob; false when there was none.</summary>
    Task<bool> DeleteAsync(BlobAddress blob, CancellationToken ct);

    /// <summary>Deletes every blob below the folder (<c>name/</c>) and the folder itself; links planted inside are removed, not followed.</summary>
    Task DeleteFolderAsync(BlobAddress folder, CancellationToken ct);

    /// <summary>
    /// The absolute local path of the blob or folder when it exists as a plain file or folder reached without any link; else null.
    /// For bind mounts. A path is a name, not a handle: pass it on only to what mounts it, never follow it with user rights of the server.
    /// </summary>
    string? TryGetLocalPath(BlobAddress blob);

    /// <summary>
    /// Makes the folder and everything above it; returns its absolute local path. A file in the way moves aside as the name mapping says. It is durable when a blob
    /// below it is.
    /// </summary>
    Outcome<string> EnsureFolder(BlobAddress folder);

    /// <summary>Digests every blob below the folder (or the one blob, as its own single line with an empty relative name).</summary>
    Task<FolderDigest> DigestAsync(BlobAddress folder, CancellationToken ct);
}
