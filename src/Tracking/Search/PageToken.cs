using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace Zaffre.Tracking.Search;

/// <summary>An opaque continuation: the sort keys of the last row of a page. Clients never look inside.</summary>
internal static class PageToken
{
    public static string Write(IEnumerable<object> keys)
    {
        var parts = keys.Select(key => key switch
        {
            long number => "i" + number.ToString(CultureInfo.InvariantCulture),
            double real => "f" + BitConverter.DoubleToInt64Bits(real).ToString("x", CultureInfo.InvariantCulture),
            _ => "t" + key,
        });
        return Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts.ToArray(), TrackingJson.Default.StringArray));
    }

    /// <summary>The keys, or null when the token is not one of a page with <paramref name="count"/> keys.</summary>
    public static IReadOnlyList<object>? Read(string token, int count)
    {
        try
        {
            var parts = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(token), TrackingJson.Default.StringArray);
            return parts?.Length == count ? [.. parts.Select(Value)] : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static object Value(string part) => part is { Length: > 0 }
        ? part[0] switch
        {
            'i' => long.Parse(part.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
            'f' => BitConverter.Int64BitsToDouble(long.Parse(part.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
            't' => part[1..],
            _ => throw new FormatException(),
        }
        : throw new FormatException();
}
