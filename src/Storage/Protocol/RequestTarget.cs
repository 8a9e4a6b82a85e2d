using System.Diagnostics.CodeAnalysis;
using System.Text;
using Zaffre.Storage.Blobs;

namespace Zaffre.Storage.Protocol;

/// <summary>
/// What a request addresses, from its raw target: account of the host (or of a path below <c>/blobz/</c>), container, blob and
/// query. The raw text is kept since signatures are over it. Query names compare without case.
/// </summary>
internal sealed record RequestTarget(string Account, string Container, string Blob, string RawPath, IReadOnlyDictionary<string, string> Query)
{
    public const string PathPrefix = "blobz";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly string[] Suffixes = [".blob.core.windows.net", ".blob.core.localhost"];

    public BlobAddress Address => new(Account, Container, Blob);

    public string? this[string name] => Query.TryGetValue(name, out var value) ? value : null;

    /// <summary>The account in a blob host name, with or without a port; false for every other host.</summary>
    public static bool TryAccount(string host, [NotNullWhen(true)] out string? account)
    {
        var name = host.AsSpan(0, host.LastIndexOf(':') is var colon and > 0 ? colon : host.Length);
        foreach (var suffix in Suffixes)
        {
            if (name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            {
                account = name[..^suffix.Length].ToString().ToLowerInvariant();
                return true;
            }
        }

        account = null;
        return false;
    }

    /// <summary>Reads a raw target such as <c>/container/blob%20name?comp=list</c>.</summary>
    public static RequestTarget Parse(string host, string rawTarget)
    {
        var target = rawTarget.StartsWith('/') ? rawTarget : Absolute(rawTarget);
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = mark < 0 ? (target, "") : (target[..mark], target[(mark + 1)..]);
        var rest = path[1..];
        if (!TryAccount(host, out var account))
        {
            var parts = rest.Split('/', 3);
            (account, rest) = parts is [PathPrefix, var named, ..] ? (named, parts.ElementAtOrDefault(2) ?? "") : throw BlobErrors.InvalidUri("the host is no blob host.");
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (container, blob) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        return new(account, Decode(container), Decode(blob), path, ParseQuery(query));
    }

    /// <summary>Percent-decodes; throws for broken escapes and for bytes that are no UTF-8.</summary>
    public static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != '%')
            {
                bytes[length++] = bytes[i];
                continue;
            }

            if (i + 2 >= bytes.Length || !char.IsAsciiHexDigit((char)bytes[i + 1]) || !char.IsAsciiHexDigit((char)bytes[i + 2]))
            {
                throw BlobErrors.InvalidUri("it holds a '%' that is no percent-encoded byte.");
            }

            bytes[length++] = Convert.FromHexString([(char)bytes[i + 1], (char)bytes[i + 2]])[0];
            i += 2;
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw BlobErrors.InvalidUri("it is not UTF-8.");
        }
    }

    private static string Absolute(string target) => Uri.TryCreate(target, UriKind.Absolute, out _) && target.IndexOf("://", StringComparison.Ordinal) is var at and > 0
        ? target.IndexOf('/', at + 3) is var path and > 0 ? target[path..] : "/"
        : throw BlobErrors.InvalidUri("it is no path.");

    private static Dictionary<string, string> ParseQuery(string query)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (Decode(part), "") : (Decode(part[..equals]), Decode(part[(equals + 1)..]));
            if (!values.TryAdd(name, value))
            {
                throw BlobErrors.InvalidQuery(name, "it was sent twice.");
            }
        }

        return values;
    }
}
