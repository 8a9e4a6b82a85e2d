using System.Globalization;

namespace Zaffre.Tracking.Compare;

/// <summary>Numbers as people and Python write them, <c>nan</c> and <c>inf</c> among them.</summary>
internal static class PythonNumber
{
    private const int Longest = 60;

    /// <summary>The number, or null when the text is none.</summary>
    public static double? Parse(string text) => text.Length > Longest ? null : text.Trim().ToLowerInvariant() switch
    {
        "nan" => double.NaN,
        "inf" or "+inf" or "infinity" => double.PositiveInfinity,
        "-inf" or "-infinity" => double.NegativeInfinity,
        var plain when double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };
}
