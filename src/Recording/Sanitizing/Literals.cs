using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Zaffre.Recording.Sanitizing;

/// <summary>Values that were found out once (secrets, account names) and are replaced wherever they appear from then on, in every spelling.</summary>
internal sealed class Literals
{
    /// <summary>Shorter values are words that appear by chance.</summary>
    public const int Shortest = 8;

    private const int Most = 8192;

    private readonly Dictionary<string, string> known = new(StringComparer.Ordinal);
    private SearchValues<string> search = SearchValues.Create([], StringComparison.Ordinal);

    public void Learn(string value, string placeholder)
    {
        if (value.Length < Shortest || known.Count >= Most || known.ContainsKey(value) || Placeholders.Is(value))
        {
            return;
        }

        foreach (var spelling in new[] { value, Uri.EscapeDataString(value), JsonEncodedText.Encode(value).ToString(), Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) })
        {
            known.TryAdd(spelling, placeholder);
        }

        search = SearchValues.Create([.. known.Keys], StringComparison.Ordinal);
    }

    public string Replace(string text)
    {
        var at = text.AsSpan().IndexOfAny(search);
        if (at < 0)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        var rest = text.AsSpan();
        while (at >= 0)
        {
            var found = Longest(rest[at..]);
            result.Append(rest[..at]).Append(known[found]);
            rest = rest[(at + found.Length)..];
            at = rest.IndexOfAny(search);
        }

        return result.Append(rest).ToString();
    }

    private string Longest(ReadOnlySpan<char> text)
    {
        var best = "";
        foreach (var value in known.Keys)
        {
            if (value.Length > best.Length && text.StartsWith(value, StringComparison.Ordinal))
            {
                best = value;
            }
        }

        return best;
    }
}
