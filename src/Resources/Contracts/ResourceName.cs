using System.Text.RegularExpressions;

namespace Zaffre.Resources;

/// <summary>The common rule of resource names.</summary>
public static partial class ResourceName
{
    /// <summary>Why the value is no legal name, or null.</summary>
    public static string? Problem(string part, string value) => Legal().IsMatch(value)
        ? null
        : $"The {part} '{(value.Length > 80 ? value[..80] + "..." : value)}' is not valid: use 1 to 255 letters, digits, '-', '_' or '.', beginning with a letter, digit or '_'.";

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,254}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Legal();
}
