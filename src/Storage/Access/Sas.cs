using System.Globalization;
using System.Net;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Protocol;

namespace Zaffre.Storage.Access;

/// <summary>What a verified signature allows.</summary>
/// <param name="Permissions">The letters of <c>sp</c>.</param>
/// <param name="Scope">What they apply to.</param>
internal sealed record SasGrant(string Permissions, SasScope Scope)
{
    /// <summary>Services (<c>ss</c>) and resource types (<c>srt</c>) of an account signature.</summary>
    public string ResourceTypes { get; init; } = "";

    public bool Allows(string anyOf) => anyOf.Any(p => Permissions.Contains(p, StringComparison.Ordinal));
}

internal enum SasScope
{
    Blob,
    Folder,
    Container,
    Account,
}

/// <summary>
/// Shared access signatures: service signatures of blobs, containers and folders, and account signatures, of every <c>sv</c> since
/// 2015-04-05. Stored access policies and user delegation keys do not exist here and are refused by name.
/// </summary>
internal static class Sas
{
    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
    ];

    /// <summary>Whether a request carries a signature.</summary>
    public static bool IsPresent(RequestTarget target) => target.Query.ContainsKey("sig");

    /// <summary>Checks everything but permissions; throws what Azure answers.</summary>
    public static SasGrant Verify(RequestTarget target, IReadOnlyList<byte[]> keys, IPAddress? caller, bool secure, DateTimeOffset now)
    {
        foreach (var name in (string[])["skoid", "sktid", "skt", "ske", "sks", "skv", "suoid", "saoid"])
        {
            if (target[name] is not null)
            {
                throw BlobErrors.AuthenticationFailed("user delegation signatures are not supported by this server; sign with the account's key.");
            }
        }

        if (target["si"] is not null)
        {
            throw BlobErrors.AuthenticationFailed($"there is no stored access policy '{target["si"]}'.");
        }

        var grant = target["srt"] is null ? Service(target, keys) : Account(target, keys);
        CheckTime(target, now);
        CheckOrigin(target, caller, secure);
        return grant;
    }

    /// <summary>The query of a service signature.</summary>
    public static string SignService(byte[] key, BlobAddress blob, string permissions, DateTimeOffset start, DateTimeOffset expiry)
    {
        const string version = "2021-12-02";
        var (from, to) = (Format(start), Format(expiry));
        var resource = blob.Name.Length == 0 ? "c" : "b";
        var query = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["sp"] = permissions, ["st"] = from, ["se"] = to, ["spr"] = "https", ["sv"] = version, ["sr"] = resource,
        };
        var target = new RequestTarget(blob.Account, blob.Container, blob.Name, "", query);
        var signature = Convert.ToBase64String(SharedKey.Sign(key, ServiceText(target, version, resource)));
        return $"sv={version}&spr=https&st={Uri.EscapeDataString(from)}&se={Uri.EscapeDataString(to)}&sr={resource}&sp={permissions}&sig={Uri.EscapeDataString(signature)}";
    }

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static SasGrant Service(RequestTarget target, IReadOnlyList<byte[]> keys)
    {
        var version = Required(target, "sv");
        var resource = Required(target, "sr");
        var scope = resource switch
        {
            "b" => SasScope.Blob,
            "c" => SasScope.Container,
            "d" => SasScope.Folder,
            _ => throw BlobErrors.AuthenticationFailed($"the signed resource '{resource}' is not supported."),
        };
        CheckSignature(target, keys, ServiceText(target, version, resource));
        return new(Required(target, "sp"), scope);
    }

    private static string ServiceText(RequestTarget target, string version, string resource)
    {
        string Value(string name) => target[name] ?? "";
        List<string> lines =
        [
            Value("sp"), Value("st"), Value("se"), $"/blob/{target.Account}/{Resource(target, resource)}", Value("si"), Value("sip"), Value("spr"), version,
        ];
        if (IsSince(version, "2018-11-09"))
        {
            lines.AddRange([resource, Value("snapshot")]);
        }

        if (IsSince(version, "2020-12-06"))
        {
            lines.Add(Value("ses"));
        }

        lines.AddRange([Value("rscc"), Value("rscd"), Value("rsce"), Value("rscl"), Value("rsct")]);
        return string.Join('\n', lines);
    }

    private static string Resource(RequestTarget target, string resource)
    {
        switch (resource)
        {
            case "c":
                return target.Container;
            case "d" when int.TryParse(target["sdd"], NumberStyles.None, CultureInfo.InvariantCulture, out var depth):
                var segments = target.Blob.Split('/');
                return depth <= segments.Length
                    ? $"{target.Container}/{string.Join('/', segments.Take(depth))}".TrimEnd('/')
                    : throw BlobErrors.AuthenticationFailed("the name lies above the signed folder.");
            case "d":
                throw BlobErrors.AuthenticationFailed("sdd must give the depth of the signed folder.");
            default:
                return $"{target.Container}/{target.Blob}";
        }
    }

    private static SasGrant Account(RequestTarget target, IReadOnlyList<byte[]> keys)
    {
        string Value(string name) => target[name] ?? "";
        var version = Required(target, "sv");
        var text = string.Join('\n', target.Account, Required(target, "sp"), Required(target, "ss"), Value("srt"), Value("st"), Value("se"), Value("sip"), Value("spr"), version) + "\n";
        if (IsSince(version, "2020-12-06"))
        {
            text += Value("ses") + "\n";
        }

        CheckSignature(target, keys, text);
        return Value("ss").Contains('b', StringComparison.Ordinal)
            ? new(Value("sp"), SasScope.Account) { ResourceTypes = Value("srt") }
            : throw BlobErrors.ServiceMismatch();
    }

    private static void CheckSignature(RequestTarget target, IReadOnlyList<byte[]> keys, string text)
    {
        var signature = new byte[32];
        if (!Convert.TryFromBase64String(target["sig"]!, signature, out var length) || length != signature.Length
            || !keys.Any(key => SharedKey.IsSignature(key, text, signature)))
        {
            throw BlobErrors.AuthenticationFailed("the signature (sig) does not fit the other parameters and the resource.");
        }
    }

    private static void CheckTime(RequestTarget target, DateTimeOffset now)
    {
        if (target["st"] is { Length: > 0 } start && Time("st", start) > now)
        {
            throw BlobErrors.AuthenticationFailed($"the signature is not valid before {start}.");
        }

        if (Time("se", Required(target, "se")) is var end && end <= now)
        {
            throw BlobErrors.AuthenticationFailed($"the signature expired at {target["se"]}.");
        }
    }

    private static void CheckOrigin(RequestTarget target, IPAddress? caller, bool secure)
    {
        if (target["spr"] is { } protocol && protocol is not ("https" or "https,http"))
        {
            throw BlobErrors.AuthenticationFailed("spr must be 'https' or 'https,http'.");
        }

        if (target["spr"] == "https" && !secure)
        {
            throw BlobErrors.ProtocolMismatch();
        }

        if (target["sip"] is { Length: > 0 } range && (caller is null || !InRange(caller, range)))
        {
            throw BlobErrors.SourceIpMismatch(caller?.ToString() ?? "an unknown address");
        }
    }

    private static bool InRange(IPAddress address, string range)
    {
        var ends = range.Split('-');
        return ends.Length <= 2 && IPAddress.TryParse(ends[0], out var low) && IPAddress.TryParse(ends[^1], out var high)
            && Bytes(address) is var bytes && Bytes(low) is var from && Bytes(high) is var to && bytes.Length == from.Length && bytes.Length == to.Length
            && bytes.AsSpan().SequenceCompareTo(from) >= 0 && bytes.AsSpan().SequenceCompareTo(to) <= 0;
    }

    private static byte[] Bytes(IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();

    private static DateTimeOffset Time(string name, string text) =>
        DateTimeOffset.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw BlobErrors.AuthenticationFailed($"{name} is no ISO 8601 UTC time.");

    private static string Required(RequestTarget target, string name) =>
        target[name] is { Length: > 0 } value ? value : throw BlobErrors.AuthenticationFailed($"the signature has no '{name}'.");

    private static bool IsSince(string version, string first) => string.CompareOrdinal(version, first) >= 0;
}
