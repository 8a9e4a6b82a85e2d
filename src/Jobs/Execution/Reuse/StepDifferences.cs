namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>What two steps see differently, in words; what lies inside of code and data is completed by <see cref="DifferenceDetails"/>.</summary>
internal static class StepDifferences
{
    private const int Longest = 120;

    public static IReadOnlyList<StepDifference> Between(StepFacts before, StepFacts after)
    {
        var found = new List<StepDifference>();
        if (before.Command != after.Command)
        {
            found.Add(new StepDifference("command", null, $"command changed: {Words(before.Command, after.Command)}"));
        }

        if (before.Code?.Digest != after.Code?.Digest)
        {
            found.Add(new StepDifference("code", null, before.Code is null ? "code was added" : after.Code is null ? "code was removed" : "code changed", before.Code?.Digest, after.Code?.Digest));
        }

        Maps(before.Inputs, after.Inputs, "input", (name, one, other) => Input(name, one, other), found);
        Maps(before.Variables, after.Variables, "variable", (name, one, other) => new StepDifference("variable", name, $"environment variable {name} changed: {Short(one)} -> {Short(other)}"), found);
        Maps(before.Environment, after.Environment, "environment", (name, one, other) => new StepDifference("environment", name, $"environment changed: {Packages(name, one, other)}"), found);
        Maps(before.Outputs, after.Outputs, "output", (name, one, other) => new StepDifference("output", name, Output(name, one, other)), found);
        if (before.Gang != after.Gang)
        {
            found.Add(new StepDifference("distribution", null, $"distribution changed: {before.Gang ?? "one process"} -> {after.Gang ?? "one process"}"));
        }

        return found;
    }

    private static void Maps<T>(IReadOnlyDictionary<string, T> before, IReadOnlyDictionary<string, T> after, string what, Func<string, T, T, StepDifference?> compare, List<StepDifference> found)
        where T : class
    {
        foreach (var name in before.Keys.Union(after.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (one, other) = (before.GetValueOrDefault(name), after.GetValueOrDefault(name));
            if (one is null || other is null)
            {
                found.Add(new StepDifference(what, name, $"{what} {name} was {(one is null ? "added" : "removed")}"));
            }
            else if (!one.Equals(other) && compare(name, one, other) is { } difference)
            {
                found.Add(difference);
            }
        }
    }

    private static StepDifference? Input(string name, InputFact one, InputFact other)
    {
        if (one.Type != other.Type || one.Mode != other.Mode)
        {
            return new StepDifference("input", name, $"input {name} changed: {one.Type} ({one.Mode}) -> {other.Type} ({other.Mode})");
        }

        if (one.Digest != other.Digest)
        {
            return new StepDifference("input", name, $"input {name} changed", one.Digest, other.Digest);
        }

        return one.Value == other.Value ? null : new StepDifference("input", name, $"input {name} changed: {Short(one.Value)} -> {Short(other.Value)}");
    }

    private static string Output(string name, OutputFact one, OutputFact other) => one.Place != other.Place
        ? $"output {name} is asked for at another place: {one.Place ?? "any"} -> {other.Place ?? "any"}"
        : $"output {name} changed: {one.Type} ({one.Mode}) -> {other.Type} ({other.Mode})";

    private static string Packages(string name, string one, string other)
    {
        if (name != "condaFile")
        {
            return name == "image" ? $"image {Short(one)} -> {Short(other)}" : name;
        }

        var (gone, come) = (Lines(one).Except(Lines(other)).ToList(), Lines(other).Except(Lines(one)).ToList());
        var told = new List<string>();
        foreach (var line in gone)
        {
            var same = come.FirstOrDefault(candidate => Package(candidate) == Package(line));
            told.Add(same is null ? $"{line} removed" : $"{line} -> {Version(line, same)}");
            come.Remove(same ?? "");
        }

        told.AddRange(come.Select(line => $"{line} added"));
        return told.Count == 0 ? "the order of packages" : string.Join(", ", told.Take(5)) + (told.Count > 5 ? $" and {told.Count - 5} more" : "");
    }

    private static IEnumerable<string> Lines(string conda) => conda.Split('\n').Select(line => line.Trim().TrimStart('-').Trim()).Where(line => line.Length > 0 && line[0] != '#');

    private static string Package(string line) => line[..(line.IndexOfAny(['=', '<', '>', '!', '~', ' ', ':']) is >= 0 and var end ? end : line.Length)];

    private static string Version(string before, string after)
    {
        var name = Package(after);
        var version = after[name.Length..].TrimStart('=', ' ');
        return before.Length > name.Length && before.Contains("==", StringComparison.Ordinal) == after.Contains("==", StringComparison.Ordinal) && version.Length > 0 ? version : after;
    }

    /// <summary>The parts of two texts that differ, from the word on where they begin to.</summary>
    private static string Words(string before, string after)
    {
        var start = Math.Min(before.AsSpan().CommonPrefixLength(after), Math.Min(before.Length, after.Length) - 1);
        start = start < 0 ? 0 : before.LastIndexOfAny([' ', '\n'], start) + 1;
        string Part(string text) => (start > 0 ? "..." : "") + Short(text[Math.Min(start, text.Length)..].ReplaceLineEndings(" "));
        return $"{Part(before)} -> {Part(after)}";
    }

    private static string Short(string? text) => text is null ? "nothing" : text.Length > Longest ? text[..Longest] + "..." : text;
}
