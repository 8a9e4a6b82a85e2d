using System.Text.RegularExpressions;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>Words of unfinished work, and addresses that have no place in the repository.</summary>
internal static partial class Words
{
    public static IEnumerable<Violation> Check(IEnumerable<SourceFile> files) =>
        from file in files
        where !file.Path.StartsWith("tests/Architecture/", StringComparison.Ordinal)
        from line in file.Text.Split('\n').Select((text, index) => (text, number: index + 1))
        let match = Forbidden().Match(line.text)
        where match.Success
        select new Violation("words", $"{file.Path}:{line.number}", $"says '{match.Value}'");

    [GeneratedRegex(@"\b(TODO|FIXME|HACK)\b|NotImplementedException|\bfor now\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Forbidden();
}
