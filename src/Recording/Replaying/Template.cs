using System.Text.RegularExpressions;

namespace Zaffre.Recording.Replaying;

/// <summary>Matches a recorded text with what came, and takes the values of its placeholders from there.</summary>
internal static partial class Template
{
    private const int Anchor = 6;

    /// <summary>Where the two part, or -1 when they agree.</summary>
    public static int Mismatch(string recorded, string came, Bindings bindings)
    {
        var found = new List<(string Placeholder, string Value)>();
        var pieces = Bindings.Pieces(recorded).ToList();
        var at = 0;
        for (var i = 0; i < pieces.Count; i++)
        {
            var (text, isPlaceholder) = pieces[i];
            if (!isPlaceholder)
            {
                var same = came.AsSpan(at).CommonPrefixLength(text);
                at += same;
                if (same < text.Length)
                {
                    return at;
                }

                continue;
            }

            var next = pieces.Skip(i + 1).FirstOrDefault(piece => !piece.IsPlaceholder).Text;
            var length = LengthOf(text, came, at, next);
            if (length < 0 || !Agrees(text, came.AsSpan(at, length), bindings))
            {
                return at;
            }

            found.Add((text, came.Substring(at, length)));
            at += length;
        }

        if (at < came.Length)
        {
            return at;
        }

        foreach (var (placeholder, value) in found)
        {
            bindings.Bind(placeholder, value);
        }

        return -1;
    }

    private static bool Agrees(string placeholder, ReadOnlySpan<char> value, Bindings bindings) =>
        !Bindings.IsFirm(placeholder) || bindings.Find(placeholder) is not { } known || value.Equals(known, StringComparison.OrdinalIgnoreCase);

    // How much of the text the placeholder takes: by its look, else up to the text that follows.
    private static int LengthOf(string placeholder, string came, int at, string? next)
    {
        var look = Bindings.KindOf(placeholder) switch
        {
            "guid" or "subscription" or "tenant" or "client" or "owner" => Guids(),
            "id" => Ids(),
            "date" => Dates(),
            "port" => Digits(),
            _ => null,
        };
        if (look is not null)
        {
            return look.Match(came, at) is { Success: true } match ? match.Length : -1;
        }

        // A few characters of what follows will do; where the rest of it differs is found in its turn.
        return next is null ? came.Length - at : came.AsSpan(at).IndexOf(next.AsSpan(0, Math.Min(next.Length, Anchor)), StringComparison.Ordinal) is var end and >= 0 ? end : -1;
    }

    [GeneratedRegex(@"\G[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Guids();

    [GeneratedRegex(@"\G(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Dates();

    [GeneratedRegex(@"\G(?:[a-z]{1,8}-)?[0-9a-f]{32}(?:-[0-9a-f]{16})?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ids();

    [GeneratedRegex(@"\G\d+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Digits();
}
