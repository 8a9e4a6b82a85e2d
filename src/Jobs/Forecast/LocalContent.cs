using Zaffre.Storage;

namespace Zaffre.Jobs.Forecast;

/// <summary>
/// What a client would upload, as it told: <paramref name="Name"/> of the file or folder, and the <paramref name="Hash"/> that names its place. Its files are known one by
/// one, or as their digest only.
/// </summary>
internal sealed record LocalContent(string Name, string Hash, bool IsFolder)
{
    public required FolderDigest Digest { get; init; }

    /// <summary>Relative to the folder; a single file has an empty name. Null when only the digest was told.</summary>
    public IReadOnlyList<ContentFile>? Files { get; init; }

    /// <summary>The first file in ordinal order of names, which carries the mark of a whole upload; empty for a single file.</summary>
    public required string First { get; init; }

    /// <summary>The lines of files by digest, as far as they were asked for; null for what is no text.</summary>
    public IReadOnlyDictionary<string, string[]?> Lines { get; init; } = new Dictionary<string, string[]?>(StringComparer.Ordinal);

    /// <summary>Where it lies below the default datastore.</summary>
    public string Folder => $"LocalUpload/{Hash}/{Name}";
}
