using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Tracking.Live;

/// <summary>What an event tells of a run; the numbers are the order of those that one unit causes.</summary>
internal enum FeedKind
{
    Param = 1,
    Tag = 2,
    Metric = 3,
    Status = 4,
}

/// <summary>
/// A place between the events of the units up to <paramref name="Upto"/>, which are ordered by run, kind and what orders the kind. <paramref name="Passed"/> is the last key of the
/// kind that was sent; empty: all of the kind was.
/// </summary>
internal sealed record FeedPlace(long Upto, long Run, FeedKind Kind, IReadOnlyList<long> Passed)
{
    /// <summary>After everything of a run that is of this kind.</summary>
    public static FeedPlace Behind(long upto, long run, FeedKind kind) => new(upto, run, kind, []);
}

/// <summary>
/// How far a reader of events has come, as the id of each event carries it: everything of the units up to <see cref="After"/>, of those that follow what lies before
/// <see cref="Place"/>, and of log files so many bytes. Clients send it back as they got it.
/// </summary>
internal sealed record FeedCursor(long After)
{
    /// <summary>Before everything.</summary>
    public static readonly FeedCursor Start = new(-1);

    private const int MostLogs = 256;

    public FeedPlace? Place { get; init; }

    /// <summary>Bytes sent of each log file, by <see cref="LogKey"/>.</summary>
    public IReadOnlyDictionary<string, long> Logs { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>The run was over, and the reader was told.</summary>
    public bool Ended { get; init; }

    /// <summary>What stands for a log file in ids.</summary>
    public static string LogKey(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 6));

    public static FeedCursor? Parse(string text)
    {
        var ended = text.EndsWith('!');
        var parts = text.TrimEnd('!').Split('~');
        if (Numbers(parts[0]) is not { } numbers || parts.Length > MostLogs + 1)
        {
            return null;
        }

        var (place, valid) = PlaceOf(numbers);
        if (!valid)
        {
            return null;
        }

        var logs = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1))
        {
            if (part.Split('.') is not [{ Length: 12 } key, var size] || !long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
            {
                return null;
            }

            logs[key] = bytes;
        }

        return new FeedCursor(numbers[0]) { Place = place, Logs = logs, Ended = ended };
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{After}");
        if (Place is { } place)
        {
            text.Append(CultureInfo.InvariantCulture, $",{place.Upto},{place.Run},{(int)place.Kind}");
            foreach (var number in place.Passed)
            {
                text.Append(CultureInfo.InvariantCulture, $",{number}");
            }
        }

        foreach (var (key, size) in Logs)
        {
            text.Append(CultureInfo.InvariantCulture, $"~{key}.{size}");
        }

        return text.Append(Ended ? "!" : "").ToString();
    }

    private static List<long>? Numbers(string text)
    {
        var numbers = new List<long>();
        foreach (var part in text.Split(',', 10))
        {
            if (!long.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>How many numbers order a kind: param and tag by unit, status by unit and state, metric by (metric, time, step, NaN, bits of the value).</summary>
    private static (FeedPlace? Place, bool Valid) PlaceOf(List<long> numbers)
    {
        if (numbers.Count == 1)
        {
            return (null, true);
        }

        var keys = numbers.Count < 4 ? -1 : (FeedKind)numbers[3] switch { FeedKind.Param or FeedKind.Tag => 1, FeedKind.Status => 2, FeedKind.Metric => 5, _ => -1 };
        return keys < 0 || (numbers.Count != 4 && numbers.Count != 4 + keys) || numbers[1] < numbers[0]
            ? (null, false)
            : (new FeedPlace(numbers[1], numbers[2], (FeedKind)numbers[3], numbers[4..]), true);
    }
}
