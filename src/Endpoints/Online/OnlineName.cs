using System.Text.RegularExpressions;

namespace Zaffre.Endpoints.Online;

/// <summary>The rule for names of endpoints and deployments: they become part of URLs.</summary>
internal static partial class OnlineName
{
    /// <summary>Why the value is no legal name, or null.</summary>
    public static string? Problem(string what, string value) => Legal().IsMatch(value)
        ? null
        : $"The {what} name '{(value.Length > 60 ? value[..60] + "..." : value)}' is not valid: use 3 to 32 letters, digits and hyphens, beginning with a letter and ending with a letter or digit.";

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9\-]{1,30}[A-Za-z0-9]\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Legal();
}
