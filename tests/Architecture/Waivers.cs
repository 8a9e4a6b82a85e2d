using System.Globalization;

namespace Zaffre.Tests.Architecture;

/// <summary>
/// The exceptions, in one file: <c>rule | where | date | reason</c> per line. A waiver for something that no longer breaks the
/// rule must go.
/// </summary>
internal sealed class Waivers
{
    private readonly List<(string Rule, string Where)> entries = [];

    public Waivers(IEnumerable<string> lines)
    {
        foreach (var line in lines.Where(line => line.Length > 0 && line[0] != '#'))
        {
            var parts = line.Split('|', StringSplitOptions.TrimEntries);
            if (parts.Length != 4 || parts.Any(part => part.Length == 0) || !DateOnly.TryParseExact(parts[2], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            {
                throw new FormatException($"A waiver is 'rule | where | yyyy-MM-dd | reason', not '{line}'.");
            }

            entries.Add((parts[0], parts[1]));
        }
    }

    public static Waivers Read() => new(File.ReadLines(Path.Combine(Repository.Root, "tests/Architecture/waivers.txt")));

    public IEnumerable<Violation> Unwaived(IEnumerable<Violation> violations) => violations.Where(violation => !Covers(violation));

    public IEnumerable<string> Unused(IReadOnlyCollection<Violation> violations) =>
        entries.Where(entry => !violations.Any(violation => Covers(entry, violation))).Select(entry => $"{entry.Rule} | {entry.Where}");

    private static bool Covers((string Rule, string Where) entry, Violation violation) =>
        entry.Rule == violation.Rule && (entry.Where == violation.Where || violation.Where.StartsWith(entry.Where + ":", StringComparison.Ordinal));

    private bool Covers(Violation violation) => entries.Exists(entry => Covers(entry, violation));
}
