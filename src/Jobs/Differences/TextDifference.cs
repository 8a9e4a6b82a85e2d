namespace Zaffre.Jobs.Differences;

/// <summary>Lines that differ: <paramref name="OldCount"/> lines from line <paramref name="OldStart"/> (from 1) became <paramref name="NewCount"/> lines from <paramref name="NewStart"/>.</summary>
internal sealed record Hunk(int OldStart, int OldCount, int NewStart, int NewCount)
{
    /// <summary>What a reader is told: the lines of the new text, or those of the old one that are gone.</summary>
    public override string ToString() => this switch
    {
        { NewCount: 0 } => $"{Lines(OldStart, OldCount)} removed",
        { OldCount: 0 } => $"{Lines(NewStart, NewCount)} added",
        _ => Lines(NewStart, NewCount),
    };

    private static string Lines(int start, int count) => count == 1 ? $"line {start}" : $"lines {start}-{start + count - 1}";
}

/// <summary>What differs between two texts, by lines: the shortest script of Myers ("An O(ND) difference algorithm", 1986).</summary>
internal static class TextDifference
{
    // Beyond this many edits one hunk from the first to the last difference says as much, and costs no square.
    private const int MostEdits = 1000;

    /// <summary>The hunks from old to new, in order; none when the texts have the same lines.</summary>
    public static IReadOnlyList<Hunk> Of(string before, string after) => Of(Split(before), Split(after));

    /// <summary>The hunks between two lists of lines, or of anything that stands for lines.</summary>
    public static IReadOnlyList<Hunk> Of(string[] old, string[] now)
    {
        var head = 0;
        while (head < old.Length && head < now.Length && old[head] == now[head])
        {
            head++;
        }

        var tail = 0;
        while (tail < old.Length - head && tail < now.Length - head && old[^(tail + 1)] == now[^(tail + 1)])
        {
            tail++;
        }

        return Middle(old.AsSpan(head..^tail), now.AsSpan(head..^tail), head);
    }

    /// <summary>The lines of a text, without their ends.</summary>
    public static string[] Split(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        return lines is [.., ""] ? lines[..^1] : lines;
    }

    private static List<Hunk> Middle(ReadOnlySpan<string> old, ReadOnlySpan<string> now, int offset)
    {
        if (old.Length == 0 && now.Length == 0)
        {
            return [];
        }

        if (old.Length == 0 || now.Length == 0 || Trace(old, now) is not { } trace)
        {
            return [new Hunk(offset + 1, old.Length, offset + 1, now.Length)];
        }

        return Hunks(Walk(trace, old.Length, now.Length), old.Length, now.Length, offset);
    }

    /// <summary>The furthest points of every round, or null after too many rounds.</summary>
    private static List<int[]>? Trace(ReadOnlySpan<string> old, ReadOnlySpan<string> now)
    {
        var most = Math.Min(MostEdits, old.Length + now.Length);
        var reach = new int[(2 * most) + 3];
        var trace = new List<int[]>();
        for (var edits = 0; edits <= most; edits++)
        {
            trace.Add(reach[(most + 1 - edits)..(most + 2 + edits)]);
            for (var diagonal = -edits; diagonal <= edits; diagonal += 2)
            {
                var at = most + 1 + diagonal;
                var x = diagonal == -edits || (diagonal != edits && reach[at - 1] < reach[at + 1]) ? reach[at + 1] : reach[at - 1] + 1;
                while (x < old.Length && x - diagonal < now.Length && old[x] == now[x - diagonal])
                {
                    x++;
                }

                reach[at] = x;
                if (x >= old.Length && x - diagonal >= now.Length)
                {
                    return trace;
                }
            }
        }

        return null;
    }

    /// <summary>From the end to the start: the pairs of equal lines, last first.</summary>
    private static List<(int Old, int New)> Walk(List<int[]> trace, int x, int y)
    {
        var same = new List<(int, int)>();
        for (var edits = trace.Count - 1; edits >= 0; edits--)
        {
            var reach = trace[edits];
            int At(int diagonal) => reach[diagonal + edits];
            var diagonal = x - y;
            var down = diagonal == -edits || (diagonal != edits && At(diagonal - 1) < At(diagonal + 1));
            var from = edits == 0 ? 0 : down ? diagonal + 1 : diagonal - 1;
            var fromX = edits == 0 ? 0 : At(from);
            var fromY = fromX - from;
            while (x > fromX && y > fromY)
            {
                same.Add((--x, --y));
            }

            (x, y) = (fromX, fromY);
        }

        return same;
    }

    private static List<Hunk> Hunks(List<(int Old, int New)> same, int oldLength, int newLength, int offset)
    {
        var hunks = new List<Hunk>();
        var (old, now) = (0, 0);
        foreach (var (x, y) in same.AsEnumerable().Reverse().Append((oldLength, newLength)))
        {
            if (x > old || y > now)
            {
                hunks.Add(new Hunk(offset + old + 1, x - old, offset + now + 1, y - now));
            }

            (old, now) = (x + 1, y + 1);
        }

        return hunks;
    }
}
