using System.Globalization;
using System.Text.Json;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Blobs;

/// <summary>The HTTP headers that are kept with a blob.</summary>
internal sealed record ContentHeaders
{
    public const string DefaultType = "application/octet-stream";

    public static ContentHeaders Default { get; } = new();

    public string Type { get; init; } = DefaultType;

    public string Encoding { get; init; } = "";

    public string Language { get; init; } = "";

    public string Disposition { get; init; } = "";

    public string CacheControl { get; init; } = "";

    // One line each: header values hold no line breaks.
    public string Pack() => string.Join('\n', Type, Encoding, Language, Disposition, CacheControl);

    public static ContentHeaders Unpack(string packed) => packed.Split('\n') is [var type, var encoding, var language, var disposition, var cache]
        ? new() { Type = type, Encoding = encoding, Language = language, Disposition = disposition, CacheControl = cache }
        : Default;
}

/// <summary>What is said of a concluded copy to who asks for the properties of the blob that it made.</summary>
/// <param name="Id">The id that the copy was answered with.</param>
/// <param name="Source">The URL that was copied from, without its query: a signature is nobody else's.</param>
/// <param name="Completed">When it ended.</param>
internal sealed record CopyRecord(string Id, string Source, DateTimeOffset Completed)
{
    public string Pack() => string.Join('\n', Id, Source, Completed.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    public static CopyRecord? Unpack(string packed) => packed.Split('\n') is [var id, var source, var completed]
        ? new(id, source, DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(completed, CultureInfo.InvariantCulture)))
        : null;
}

/// <summary>What is kept of a blob beside its bytes.</summary>
internal sealed record BlobProperties
{
    public const string Block = "BlockBlob";
    public const string Append = "AppendBlob";

    public static IReadOnlyDictionary<string, string> NoMetadata { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    public string Type { get; init; } = Block;

    public byte[]? Md5 { get; init; }

    public ContentHeaders Headers { get; init; } = ContentHeaders.Default;

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = NoMetadata;

    /// <summary>The copy that made the blob, until its content is written anew.</summary>
    public CopyRecord? Copy { get; init; }

    /// <summary>Null when the file appeared without this server, such as a job's output.</summary>
    public DateTimeOffset? Created { get; init; }

    public string PackMetadata() => Metadata.Count == 0 ? "" : JsonSerializer.Serialize(Metadata);

    public static IReadOnlyDictionary<string, string> UnpackMetadata(string packed) => packed.Length == 0
        ? NoMetadata
        : new Dictionary<string, string>(JsonSerializer.Deserialize<Dictionary<string, string>>(packed) ?? [], StringComparer.OrdinalIgnoreCase);
}

/// <summary>A blob as it is: the file's stamp, and the properties whose row fits that stamp.</summary>
internal sealed record BlobState(string Name, FileStamp Stamp, BlobProperties Properties)
{
    public DateTimeOffset Created => Properties.Created ?? Stamp.LastModified;

    public BlobInfo ToInfo() => new()
    {
        Name = Name,
        Size = Stamp.Size,
        ETag = Stamp.ETag,
        LastModified = Stamp.LastModified,
        ContentType = Properties.Headers.Type,
        ContentMd5 = Properties.Md5,
        Metadata = Properties.Metadata,
    };
}
