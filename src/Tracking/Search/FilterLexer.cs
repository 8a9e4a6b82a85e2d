using System.Globalization;
using System.Text;

namespace Zaffre.Tracking.Search;

internal enum TokenKind
{
    /// <summary>Letters, digits, <c>_ . - / :</c>, possibly with quoted parts after a dot; also the words of the grammar.</summary>
    Word,

    /// <summary>A whole token in backticks or double quotes.</summary>
    Quoted,

    /// <summary>A string in single quotes.</summary>
    Text,
    Number,
    Operator,
    Open,
    Close,
    Comma,
    End,
}

/// <summary><paramref name="Value"/> is without quotes; <paramref name="Raw"/> as written.</summary>
internal readonly record struct Token(TokenKind Kind, string Value, string Raw)
{
    public bool IsWord(string word) => Kind == TokenKind.Word && Value.Equals(word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Cuts a filter into tokens. A quote is doubled to stand for itself; a backslash is an ordinary character.</summary>
internal static class FilterLexer
{
    public static List<Token> Read(string source)
    {
        var tokens = new List<Token>();
        var at = 0;
        while (true)
        {
            while (at < source.Length && char.IsWhiteSpace(source[at]))
            {
                at++;
            }

            if (at == source.Length)
            {
                tokens.Add(new Token(TokenKind.End, "", ""));
                return tokens;
            }

            tokens.Add(Next(source, ref at));
        }
    }

    private static Token Next(string source, ref int at)
    {
        var start = at;
        switch (source[at])
        {
            case '(':
                return new Token(TokenKind.Open, "(", source[at++].ToString());
            case ')':
                return new Token(TokenKind.Close, ")", source[at++].ToString());
            case ',':
                return new Token(TokenKind.Comma, ",", source[at++].ToString());
            case '\'':
                return new Token(TokenKind.Text, Quoted(source, ref at), source[start..at]);
            case '"' or '`':
                return new Token(TokenKind.Quoted, Quoted(source, ref at), source[start..at]);
            case '=' or '!' or '<' or '>':
                return Operator(source, ref at);
            default:
                return StartsNumber(source, at) ? Number(source, ref at) : Word(source, ref at);
        }
    }

    private static Token Operator(string source, ref int at)
    {
        var length = at + 1 < source.Length && source[at + 1] is '=' or '>' ? 2 : 1;
        var text = source.Substring(at, length);
        at += length;
        return text is "=" or "!=" or "<" or "<=" or ">" or ">="
            ? new Token(TokenKind.Operator, text, text)
            : throw new FilterException($"Invalid comparison operator '{text}' in filter string: '{source}'");
    }

    private static bool StartsNumber(string source, int at)
    {
        at += source[at] is '-' or '+' ? 1 : 0;
        return at < source.Length && (char.IsAsciiDigit(source[at]) || (source[at] == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1])));
    }

    private static Token Number(string source, ref int at)
    {
        var start = at;
        at++;
        while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] is '.' || (source[at] is '-' or '+' && source[at - 1] is 'e' or 'E')))
        {
            at++;
        }

        var text = source[start..at];
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            ? new Token(TokenKind.Number, text, text)
            : new Token(TokenKind.Word, text, text);
    }

    private static Token Word(string source, ref int at)
    {
        var start = at;
        var value = new StringBuilder();
        while (at < source.Length)
        {
            var c = source[at];
            if (char.IsLetterOrDigit(c) || c is '_' or '.' or '-' or '/' or ':')
            {
                value.Append(c);
                at++;
            }
            else if (c is '"' or '`' && value.Length > 0 && value[^1] == '.')
            {
                value.Append(Quoted(source, ref at));
                break;
            }
            else
            {
                break;
            }
        }

        return at > start
            ? new Token(TokenKind.Word, value.ToString(), source[start..at])
            : throw new FilterException($"Invalid clause(s) in filter string: '{source[at..]}'");
    }

    private static string Quoted(string source, ref int at)
    {
        var quote = source[at++];
        var value = new StringBuilder();
        while (at < source.Length)
        {
            var c = source[at++];
            if (c != quote)
            {
                value.Append(c);
            }
            else if (at < source.Length && source[at] == quote)
            {
                value.Append(quote);
                at++;
            }
            else
            {
                return value.ToString();
            }
        }

        throw new FilterException($"Invalid filter string: a quote is not closed in '{source}'");
    }
}
