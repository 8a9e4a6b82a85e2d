namespace Zaffre.Identity.Access;

/// <summary>
/// A pattern of role actions, compared without case. <c>*</c> stands for any text. <c>/*/</c> also matches a single slash: the
/// Data Scientist role takes <c>computes/*/write</c> away and means <c>computes/write</c> by it.
/// </summary>
internal readonly record struct ActionPattern(string Text)
{
    private const string Between = "/*/";

    public bool Matches(string action) => Matches(Text, action);

    private static bool Matches(string pattern, string action) =>
        MatchesText(pattern, action)
        || (pattern.IndexOf(Between, StringComparison.Ordinal) is >= 0 and var at && Matches(string.Concat(pattern.AsSpan(0, at), "/", pattern.AsSpan(at + Between.Length)), action));

    private static bool MatchesText(ReadOnlySpan<char> pattern, ReadOnlySpan<char> action)
    {
        var (p, a, star, resume) = (0, 0, -1, 0);
        while (a < action.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, resume) = (p++, a);
            }
            else if (p < pattern.Length && char.ToLowerInvariant(pattern[p]) == char.ToLowerInvariant(action[a]))
            {
                p++;
                a++;
            }
            else if (star >= 0)
            {
                (p, a) = (star + 1, ++resume);
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }
}
