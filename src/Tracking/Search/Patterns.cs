using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;

namespace Zaffre.Tracking.Search;

/// <summary>
/// What SQLite's own operators do not know: regular expressions (RLIKE), and ILIKE beyond ASCII. Expressions are run without backtracking, so none takes longer than
/// its text is long; they are written as Python's <c>re</c> takes them, as far as an engine of that kind can.
/// </summary>
internal static class Patterns
{
    /// <summary>Most characters of a regular expression.</summary>
    public const int LongestExpression = 1000;

    /// <summary>What an expression's message begins with when it took too long on one text.</summary>
    public const string TookTooLong = "RLIKE took too long";

    private const int MostKept = 64;
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(1);
    private static readonly ConcurrentDictionary<string, Regex> Kept = new(StringComparer.Ordinal);

    /// <summary>Why an expression cannot be used, or null.</summary>
    public static string? Fault(string expression)
    {
        if (expression.Length > LongestExpression)
        {
            return $"it has {expression.Length} characters, at most {LongestExpression} are read";
        }

        try
        {
            Compiled(expression);
            return null;
        }
        catch (NotSupportedException)
        {
            return "it is too large, or uses what this server's engine has not: backreferences, lookahead, lookbehind, conditions and atomic groups";
        }
        catch (ArgumentException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>SQLite's REGEXP: 1 when a part of the text matches, 0 when none does, null for no text.</summary>
    public static object? Regexp(string? expression, string? text)
    {
        if (expression is null || text is null)
        {
            return null;
        }

        try
        {
            return Compiled(expression).IsMatch(text) ? 1L : 0L;
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new InvalidOperationException($"{TookTooLong}: one value was matched for more than {MostTime.TotalSeconds} s.", exception);
        }
    }

    /// <summary>ILIKE of any letters: 1 or 0, null for no text.</summary>
    public static object? ILike(string? text, string? pattern) => text is null || pattern is null ? null : Like(Folded(text), Folded(pattern)) ? 1L : 0L;

    private static Regex Compiled(string expression)
    {
        if (Kept.TryGetValue(expression, out var kept))
        {
            return kept;
        }

        var compiled = new Regex(FromPython(expression), Options, MostTime);
        if (Kept.Count >= MostKept)
        {
            Kept.Clear();
        }

        return Kept[expression] = compiled;
    }

    /// <summary>Named groups and the end of a text are spelled differently there.</summary>
    private static string FromPython(string expression)
    {
        var spelled = new StringBuilder(expression.Length);
        for (var i = 0; i < expression.Length; i++)
        {
            if (expression[i] == '\\' && i + 1 < expression.Length)
            {
                i++;
                spelled.Append('\\').Append(expression[i] == 'Z' ? 'z' : expression[i]);
            }
            else if (expression.AsSpan(i).StartsWith("(?P<", StringComparison.Ordinal))
            {
                spelled.Append("(?<");
                i += 3;
            }
            else
            {
                spelled.Append(expression[i]);
            }
        }

        return spelled.ToString();
    }

    private static Rune[] Folded(string text) => [.. text.EnumerateRunes().Select(Rune.ToUpperInvariant)];

    private static bool Like(Rune[] text, Rune[] pattern)
    {
        var (any, one) = (new Rune('%'), new Rune('_'));
        var (at, from) = (0, 0);
        var (star, retry) = (-1, 0);
        while (at < text.Length)
        {
            if (from < pattern.Length && pattern[from] == any)
            {
                (star, retry) = (from++, at);
            }
            else if (from < pattern.Length && (pattern[from] == one || pattern[from] == text[at]))
            {
                (at, from) = (at + 1, from + 1);
            }
            else if (star >= 0)
            {
                (from, at) = (star + 1, ++retry);
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(from).IndexOfAnyExcept(any) < 0;
    }
}
