using System.Globalization;

namespace Zaffre.Recording.Sanitizing;

/// <summary>Gives equal values of a kind the same placeholder, for one session.</summary>
internal sealed class Placeholders
{
    private const int Most = 200_000;

    private readonly Dictionary<(string Kind, string Value), string> given = [];
    private readonly Dictionary<string, int> counts = new(StringComparer.Ordinal);

    /// <summary>The placeholder of the value; beyond the limit all share number 0.</summary>
    public string Of(string kind, string value)
    {
        if (given.TryGetValue((kind, value), out var known))
        {
            return known;
        }

        if (given.Count >= Most)
        {
            return $"{{{kind}:0}}";
        }

        var number = counts[kind] = counts.GetValueOrDefault(kind) + 1;
        return given[(kind, value)] = string.Create(CultureInfo.InvariantCulture, $"{{{kind}:{number}}}");
    }

    /// <summary>Whether the text already is a placeholder.</summary>
    public static bool Is(string text) => text.Length > 2 && text[0] == '{' && text[^1] == '}' && !text.AsSpan(1, text.Length - 2).ContainsAny(" \"{}");
}
