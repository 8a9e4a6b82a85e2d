using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Protocol;

/// <summary>One request of the blob protocol: what it addresses, and its headers read once. Throws the protocol's errors for malformed ones.</summary>
internal sealed partial record BlobCall(HttpContext Http, RequestTarget Target, OpenAccount Account)
{
    public const string DefaultVersion = "2021-12-02";
    private const int MetadataLimit = 8 * 1024;

    public HttpRequest Request => Http.Request;

    public HttpResponse Response => Http.Response;

    public BlobAddress Address => Target.Address;

    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Set when the credential may create but not replace.</summary>
    public bool OnlyCreate { get; init; }

    /// <summary>A header's value, or null when it is absent or empty. What no answer could carry is refused: most of it comes back in one.</summary>
    public string? Header(string name)
    {
        var text = Request.Headers[name].ToString();
        return text.Length == 0 ? null : HeaderText.CanCarry(text) ? text : throw BlobErrors.InvalidHeader(name, "it holds characters other than printable ASCII.");
    }

    /// <summary>The conditional headers; with a create-only credential, nothing may be there.</summary>
    public BlobConditions Conditions()
    {
        if (Header("x-ms-lease-id") is not null)
        {
            throw BlobErrors.NoLease();
        }

        return new()
        {
            IfMatch = Tags("If-Match"),
            IfNoneMatch = OnlyCreate ? ["*"] : Tags("If-None-Match"),
            IfModifiedSince = Time("If-Modified-Since"),
            IfUnmodifiedSince = Time("If-Unmodified-Since"),
        };
    }

    /// <summary>The conditions on the source of a copy.</summary>
    public BlobConditions SourceConditions() => new()
    {
        IfMatch = Tags("x-ms-source-if-match"),
        IfNoneMatch = Tags("x-ms-source-if-none-match"),
        IfModifiedSince = Time("x-ms-source-if-modified-since"),
        IfUnmodifiedSince = Time("x-ms-source-if-unmodified-since"),
    };

    /// <summary>The user metadata of the request.</summary>
    public IReadOnlyDictionary<string, string> Metadata()
    {
        const string prefix = "x-ms-meta-";
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var size = 0;
        foreach (var (header, value) in Request.Headers.Where(h => h.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
        {
            var name = header[prefix.Length..];
            if (!Identifier().IsMatch(name))
            {
                throw BlobErrors.InvalidMetadata(name);
            }

            if (!HeaderText.CanCarry(value.ToString()))
            {
                throw BlobErrors.InvalidMetadataValue(name);
            }

            found[name] = value.ToString();
            size += name.Length + value.ToString().Length;
        }

        return size <= MetadataLimit ? found : throw BlobErrors.MetadataTooLarge();
    }

    /// <summary>The content headers to keep where the body is the blob: <c>x-ms-blob-content-*</c>, else the request's own.</summary>
    public ContentHeaders ContentHeaders()
    {
        var stated = StatedContentHeaders();
        return stated with
        {
            Type = Header("x-ms-blob-content-type") ?? Header("Content-Type") ?? stated.Type,
            Encoding = Header("x-ms-blob-content-encoding") ?? Header("Content-Encoding") ?? "",
            Language = Header("x-ms-blob-content-language") ?? Header("Content-Language") ?? "",
            CacheControl = Header("x-ms-blob-cache-control") ?? Header("Cache-Control") ?? "",
        };
    }

    /// <summary>The content headers to keep where the request's body is something else: what is not stated is cleared, as the protocol says.</summary>
    public ContentHeaders StatedContentHeaders() => StatedContentHeaders(Blobs.ContentHeaders.Default);

    /// <summary>As <see cref="StatedContentHeaders()"/>; what is not stated is as <paramref name="otherwise"/> has it.</summary>
    public ContentHeaders StatedContentHeaders(ContentHeaders otherwise) => new()
    {
        Type = Header("x-ms-blob-content-type") ?? otherwise.Type,
        Encoding = Header("x-ms-blob-content-encoding") ?? otherwise.Encoding,
        Language = Header("x-ms-blob-content-language") ?? otherwise.Language,
        Disposition = Header("x-ms-blob-content-disposition") ?? otherwise.Disposition,
        CacheControl = Header("x-ms-blob-cache-control") ?? otherwise.CacheControl,
    };

    public byte[]? Md5(string header)
    {
        if (Header(header) is not { } text)
        {
            return null;
        }

        var bytes = new byte[16];
        return Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length ? bytes : throw BlobErrors.InvalidMd5();
    }

    public long? Number(string header) => Header(header) is not { } text
        ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw BlobErrors.InvalidHeader(header, "it must be a number.");

    /// <summary>The bytes asked for, or null for all. A range that begins past the end is 416; one that ends past it is cut.</summary>
    public (long Offset, long Length)? Range(long size) => Range(size, Header("x-ms-range") ?? Header("Range"));

    /// <summary>As <see cref="Range(long)"/>, of the source of a copy.</summary>
    public (long Offset, long Length)? SourceRange(long size) => Range(size, Header("x-ms-source-range"));

    private static (long Offset, long Length)? Range(long size, string? text)
    {
        if (text is null)
        {
            return null;
        }

        var match = ByteRange().Match(text);
        if (!match.Success || (match.Groups["first"].Length == 0 && match.Groups["last"].Length == 0))
        {
            throw BlobErrors.InvalidHeader("Range", "it must be one range: 'bytes=first-last', 'bytes=first-' or 'bytes=-count'.");
        }

        if (match.Groups["first"].Length == 0)
        {
            var suffix = Math.Min(size, Bound(match.Groups["last"].Value));
            return suffix > 0 ? (size - suffix, suffix) : throw BlobErrors.InvalidRange(size);
        }

        var first = Bound(match.Groups["first"].Value);
        var last = match.Groups["last"].Length == 0 ? long.MaxValue : Bound(match.Groups["last"].Value);
        return first < size && last >= first ? (first, Math.Min(last, size - 1) - first + 1) : throw BlobErrors.InvalidRange(size);
    }

    /// <summary>Answers a write: status, ETag, time.</summary>
    public void Written(int status, FileStamp stamp)
    {
        Response.StatusCode = status;
        Response.Headers.ETag = stamp.ETag;
        Response.Headers.LastModified = stamp.LastModified.ToString("r", CultureInfo.InvariantCulture);
        Response.Headers["x-ms-request-server-encrypted"] = "false";
        Response.ContentLength = 0;
    }

    private static long Bound(string digits) => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : long.MaxValue;

    private string[] Tags(string name) => Header(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private DateTimeOffset? Time(string name) => Header(name) is not { } text
        ? null
        : DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : throw BlobErrors.InvalidHeader(name, "it must be an HTTP date.");

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Identifier();

    [GeneratedRegex(@"^bytes=(?<first>\d*)-(?<last>\d*)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ByteRange();
}
