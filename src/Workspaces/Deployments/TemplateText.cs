namespace Zaffre.Workspaces;

/// <summary>
/// Turns the text of a deployment into plain JSON. The Azure CLI splices a template file into its request as it is, under a name without
/// quotes (<c>, template:{...}</c>); such files hold comments, and strings over several lines.
/// </summary>
internal static class TemplateText
{
    public static ReadOnlyMemory<byte> ToJson(ReadOnlyMemory<byte> text)
    {
        var source = text.Span;
        var target = new MemoryStream(source.Length + 16);
        for (var at = 0; at < source.Length;)
        {
            at = source[at] switch
            {
                (byte)'"' => String(source, at, target),
                (byte)'/' => Comment(source, at, target),
                var letter when char.IsAsciiLetter((char)letter) || letter is (byte)'_' or (byte)'$' => Word(source, at, target),
                _ => One(source, at, target),
            };
        }

        return target.GetBuffer().AsMemory(0, (int)target.Length);
    }

    private static int One(ReadOnlySpan<byte> source, int at, MemoryStream target)
    {
        target.WriteByte(source[at]);
        return at + 1;
    }

    private static int String(ReadOnlySpan<byte> source, int at, MemoryStream target)
    {
        at = One(source, at, target);
        while (at < source.Length)
        {
            if (source[at] is (byte)'\n' or (byte)'\r')
            {
                target.Write(source[at] == '\n' ? "\\n"u8 : "\\r"u8);
                at++;
            }
            else if (source[at] == '"')
            {
                return One(source, at, target);
            }
            else
            {
                at = source[at] == '\\' && at + 1 < source.Length ? One(source, One(source, at, target), target) : One(source, at, target);
            }
        }

        return at;
    }

    private static int Comment(ReadOnlySpan<byte> source, int at, MemoryStream target)
    {
        var rest = source[at..];
        var (opens, end) = rest.StartsWith("//"u8) ? (true, rest.IndexOf((byte)'\n')) : rest.StartsWith("/*"u8) ? (true, rest[2..].IndexOf("*/"u8) is var close and >= 0 ? close + 4 : -1) : (false, 0);
        return !opens ? One(source, at, target) : end < 0 ? source.Length : at + end;
    }

    private static int Word(ReadOnlySpan<byte> source, int at, MemoryStream target)
    {
        var end = at;
        while (end < source.Length && (char.IsAsciiLetterOrDigit((char)source[end]) || source[end] is (byte)'_' or (byte)'$'))
        {
            end++;
        }

        var next = end;
        while (next < source.Length && source[next] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            next++;
        }

        var isName = next < source.Length && source[next] == ':';
        target.Write(isName ? "\""u8 : []);
        target.Write(source[at..end]);
        target.Write(isName ? "\""u8 : []);
        return end;
    }
}
