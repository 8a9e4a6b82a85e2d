using System.Globalization;
using System.Text.RegularExpressions;

namespace Zaffre.Compute.Environments;

/// <summary>Comparison of versions as PEP 440 orders them: release numbers, then pre-releases before and post-releases after the release.</summary>
internal static partial class PackageVersion
{
    public static bool Satisfies(string version, string op, string wanted)
    {
        if (wanted.EndsWith(".*", StringComparison.Ordinal))
        {
            var prefix = Release(wanted[..^2]);
            var starts = Release(version).Concat(Enumerable.Repeat(0L, prefix.Count)).Take(prefix.Count).SequenceEqual(prefix);
            return op == "!=" ? !starts : starts;
        }

        var order = Compare(version, wanted);
        return op switch
        {
            "==" => order == 0,
            "!=" => order != 0,
            ">=" => order >= 0,
            "<=" => order <= 0,
            ">" => order > 0,
            "<" => order < 0,
            "~=" => order >= 0 && Satisfies(version, "==", string.Join('.', Release(wanted).SkipLast(1)) + ".*"),
            _ => version == wanted,
        };
    }

    public static int Compare(string left, string right)
    {
        var (a, b) = (Release(left), Release(right));
        for (var i = 0; i < Math.Max(a.Count, b.Count); i++)
        {
            var order = a.ElementAtOrDefault(i).CompareTo(b.ElementAtOrDefault(i));
            if (order != 0)
            {
                return order;
            }
        }

        return Suffix(left).CompareTo(Suffix(right));
    }

    private static List<long> Release(string version) => [.. Numbers().Match(version).Value.Split('.', StringSplitOptions.RemoveEmptyEntries)
        .Select(part => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)];

    // dev < a < b < rc < (release) < post; the local part after '+' does not count.
    private static (int Kind, long Number) Suffix(string version)
    {
        var match = Rest().Match(version.Split('+')[0].ToLowerInvariant());
        if (!match.Success)
        {
            return (0, 0);
        }

        _ = long.TryParse(match.Groups["number"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        return match.Groups["kind"].Value switch
        {
            "dev" => (-4, number),
            "a" or "alpha" => (-3, number),
            "b" or "beta" => (-2, number),
            "rc" or "c" or "pre" => (-1, number),
            _ => (1, number),
        };
    }

    [GeneratedRegex(@"(?<=^v?)\d+(?:\.\d+)*", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"[-_.]?(?<kind>dev|alpha|beta|rc|pre|post|a|b|c)[-_.]?(?<number>\d*)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Rest();
}
