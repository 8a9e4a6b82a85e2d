using System.Globalization;

namespace Zaffre.Jobs.Submission;

/// <summary>Sizes as Docker writes them: a number, and b, k, m or g behind it (bytes without).</summary>
internal static class ByteSizes
{
    private const string Units = "bkmg";

    /// <summary>Reads a positive size, in bytes.</summary>
    public static bool TryRead(string text, out long bytes)
    {
        var unit = Units.IndexOf(char.ToLowerInvariant(text[^1]), StringComparison.Ordinal);
        var digits = unit < 0 ? text : text[..^1];
        var shift = 10 * Math.Max(unit, 0);
        bytes = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> shift ? number << shift : 0;
        return bytes > 0;
    }
}
