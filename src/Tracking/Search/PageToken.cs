using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Zaffre.Tracking.Search;

/// <summary>
/// An opaque continuation: the sort keys of the last row of a page, and a digest of the search that it continues, so that a token of another one is refused and not
/// taken for a place in this one. Clients never look inside.
/// </summary>
internal static class PageToken
{
    private const int DigestBytes = 6;

    public static string Write(IEnumerable<object> keys, string search)
    {
        var parts = keys.Select(key => key switch
        {
            long number => "i" + number.ToString(CultureInfo.InvariantCulture),
            double real => "f" + BitConverter.DoubleToInt64Bits(real).ToString("x", CultureInfo.InvariantCulture),
            _ => "t" + key,
        }).Prepend(Digest(search));
        return Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts.ToArray(), TrackingJson.Default.StringArray));
    }

    /// <summary>The keys, or null when the token is not one of a page of this search with <paramref name="count"/> keys.</summary>
    public static IReadOnlyList<object>? Read(string token, int count, string search)
    {
        try
        {
            var parts = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(token), TrackingJson.Default.StringArray);
            return parts?.Length == count + 1 && parts[0] == Digest(search) ? [.. parts.Skip(1).Select(Value)] : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or OverflowException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static object Value(string part) => part is { Length: > 0 }
        ? part[0] switch
        {
            'i' => long.Parse(part.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
            'f' when BitConverter.Int64BitsToDouble(long.Parse(part.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture)) is var real && !double.IsNaN(real) => real,
            't' => part[1..],
            _ => throw new FormatException(),
        }
        : throw new FormatException();

    private static string Digest(string search) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(search)).AsSpan(0, DigestBytes));
}
