using System.Text.RegularExpressions;

namespace Zaffre.Identity.Features;

/// <summary>
/// The few <c>$filter</c> forms of role lists: <c>atScope()</c>, <c>atScopeAndBelow()</c>, <c>principalId eq '..'</c>,
/// <c>assignedTo('..')</c>, <c>roleName eq '..'</c>, <c>type eq '..'</c>, joined by <c>and</c>.
/// </summary>
internal sealed partial record RoleFilter(bool AtScope, string? PrincipalId, string? RoleName, string? Type)
{
    /// <summary>The filter, or null when the text is none of the supported forms.</summary>
    public static RoleFilter? Parse(string text)
    {
        var filter = new RoleFilter(false, null, null, null);
        foreach (var term in text.Length == 0 ? [] : And().Split(text.Trim()))
        {
            var match = Term().Match(term.Trim());
            if (!match.Success)
            {
                return null;
            }

            filter = match switch
            {
                _ when match.Groups["at"].Success => filter with { AtScope = filter.AtScope || match.Groups["at"].Value.Equals("atScope()", StringComparison.OrdinalIgnoreCase) },
                _ when match.Groups["to"].Success => filter with { PrincipalId = match.Groups["to"].Value },
                _ when match.Groups["name"].Value.Equals("principalId", StringComparison.OrdinalIgnoreCase) => filter with { PrincipalId = match.Groups["value"].Value },
                _ when match.Groups["name"].Value.Equals("roleName", StringComparison.OrdinalIgnoreCase) => filter with { RoleName = match.Groups["value"].Value },
                _ => filter with { Type = match.Groups["value"].Value },
            };
        }

        return filter;
    }

    [GeneratedRegex(@"\s+and\s+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex And();

    [GeneratedRegex(@"^(?:(?<at>atScope\(\)|atScopeAndBelow\(\))|assignedTo\('(?<to>[^']*)'\)|(?<name>principalId|roleName|type)\s+eq\s+'(?<value>[^']*)')$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Term();
}
