using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Protocol;

namespace Zaffre.Storage.Access;

/// <summary>The SharedKey scheme: HMAC-SHA256 over the canonical form of a request (version 2015-02-21 and later).</summary>
internal static class SharedKey
{
    private const string Scheme = "SharedKey ";

    // The order in which newer clients sort header names; older ones sort by ordinal. The signature covers the same either way.
    private const string ServiceOrder = "-!#$%&*.^_|~+\"'(),/`0123456789:;<=>?@abcdefghijklmnopqrstuvwxyz{}";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(15);

    private static readonly string[] Standard =
    [
        "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
        "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
    ];

    public static bool IsScheme(string authorization) => authorization.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Checks account, date and signature; throws <c>AuthenticationFailed</c>.</summary>
    public static void Verify(HttpRequest request, RequestTarget target, string authorization, IReadOnlyList<byte[]> keys, DateTimeOffset now)
    {
        var colon = authorization.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || authorization[Scheme.Length..colon] != target.Account)
        {
            throw BlobErrors.AuthenticationFailed("the Authorization header must be 'SharedKey account:signature' with the account of the host.");
        }

        var date = request.Headers["x-ms-date"].FirstOrDefault() ?? request.Headers.Date.FirstOrDefault();
        if (!DateTimeOffset.TryParseExact(date, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var sent)
            || (now - sent).Duration() > ClockSkew)
        {
            throw BlobErrors.AuthenticationFailed("the request's date is missing, malformed, or more than 15 minutes away from the server's.");
        }

        var signature = new byte[32];
        if (!Convert.TryFromBase64String(authorization[(colon + 1)..], signature, out var length) || length != signature.Length)
        {
            throw BlobErrors.AuthenticationFailed("the signature is not 256 bits in base64.");
        }

        var ordinal = StringToSign(request, target, StringComparer.Ordinal);
        var service = StringToSign(request, target, Comparer<string>.Create(CompareAsService));
        if (!keys.Any(key => IsSignature(key, ordinal, signature) || IsSignature(key, service, signature)))
        {
            throw BlobErrors.AuthenticationFailed("the signature is not the one of this request under the account's key.");
        }
    }

    /// <summary>The canonical form that is signed.</summary>
    public static string StringToSign(HttpRequest request, RequestTarget target, IComparer<string> headerOrder)
    {
        var text = new StringBuilder(512).Append(request.Method).Append('\n');
        foreach (var name in Standard)
        {
            var value = request.Headers[name].ToString();
            text.Append(name == "Content-Length" && value == "0" ? "" : value).Append('\n');
        }

        var own = request.Headers.Where(h => h.Key.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase))
            .Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.ToString().Trim()))
            .OrderBy(h => h.Name, headerOrder);
        foreach (var (name, value) in own)
        {
            text.Append(name).Append(':').Append(value).Append('\n');
        }

        text.Append('/').Append(target.Account).Append(target.RawPath);
        foreach (var (name, value) in target.Query.OrderBy(q => q.Key.ToLowerInvariant(), StringComparer.Ordinal))
        {
            text.Append('\n').Append(name.ToLowerInvariant()).Append(':').Append(value);
        }

        return text.ToString();
    }

    public static byte[] Sign(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    public static bool IsSignature(byte[] key, string text, byte[] signature) => CryptographicOperations.FixedTimeEquals(Sign(key, text), signature);

    private static int CompareAsService(string? x, string? y)
    {
        for (var i = 0; i < Math.Min(x!.Length, y!.Length); i++)
        {
            var byCharacter = ServiceOrder.IndexOf(x[i], StringComparison.Ordinal).CompareTo(ServiceOrder.IndexOf(y[i], StringComparison.Ordinal));
            if (byCharacter != 0)
            {
                return byCharacter;
            }
        }

        return x.Length.CompareTo(y!.Length);
    }
}
