using System.Text.RegularExpressions;

namespace Zaffre.Tests.Architecture.Rules;

/// <summary>The table of docs/wire-notes.md: every fact that clients choke on has a row, and the tests that the row names exist.</summary>
internal static partial class WireFacts
{
    private const string Where = "docs/wire-notes.md";

    private static readonly string[] Numbers = [.. Range("0.", 13), .. Range("6.", 24), .. Range("8.0.", 10)];

    /// <param name="notes">The text of the notes.</param>
    /// <param name="files">The repository's files.</param>
    public static IEnumerable<Violation> Check(string notes, IReadOnlyCollection<SourceFile> files)
    {
        var rows = Row().Matches(notes).Select(match => (Number: match.Groups["number"].Value, Tests: match.Groups["tests"].Value)).ToList();
        foreach (var number in Numbers.Where(number => rows.Count(row => row.Number == number) != 1))
        {
            yield return new Violation("wire-facts", Where, $"fact {number} has not one row");
        }

        foreach (var (number, tests) in rows)
        {
            var named = Test().Matches(tests);
            if (named.Count == 0 && !NoTest().IsMatch(tests))
            {
                yield return new Violation("wire-facts", Where, $"fact {number} names no test, and says not why ('none: reason')");
            }

            foreach (Match test in named)
            {
                if (!files.Any(file => file.Path == test.Groups["path"].Value && Regex.IsMatch(file.Text, $@"\b{test.Groups["name"].Value}\(", RegexOptions.None, TimeSpan.FromSeconds(1))))
                {
                    yield return new Violation("wire-facts", Where, $"fact {number}: there is no test {test.Groups["name"].Value} in {test.Groups["path"].Value}");
                }
            }
        }
    }

    private static IEnumerable<string> Range(string chapter, int count) => Enumerable.Range(1, count).Select(number => $"{chapter}{number}");

    [GeneratedRegex(@"^\| (?<number>\d[\d.]*) \|[^|]*\|(?<tests>[^|]*)\|$", RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<path>[^`#]+)#(?<name>[A-Za-z0-9_]+)`", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Test();

    [GeneratedRegex(@"^ none: \S", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NoTest();
}
