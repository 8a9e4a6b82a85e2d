using System.Text;
using System.Text.RegularExpressions;

namespace Zaffre.Cli;

/// <summary>
/// <c>.amlignore</c>, else <c>.gitignore</c>, in git's patterns, read as the official client does: each file is held against all lines, the last that matches
/// decides, and <c>!</c> takes back, also below a folder that another line ignores. Only the file in the root of what is uploaded counts.
/// </summary>
internal sealed class IgnoreFile
{
    private static readonly string[] Names = [".amlignore", ".gitignore"];
    private readonly List<(Regex Pattern, bool Ignore)> rules = [];

    public IgnoreFile(IEnumerable<string> lines)
    {
        foreach (var line in lines.Select(Trimmed).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var negated = line[0] == '!';
            if ((negated ? line[1..] : line) is { } pattern && pattern.Trim('/').Length > 0)
            {
                rules.Add((Compile(pattern), !negated));
            }
        }
    }

    /// <summary>The rules of the folder, none when it has no such file.</summary>
    public static IgnoreFile Of(string folder)
    {
        var file = Names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        return new IgnoreFile(file is null ? [] : File.ReadLines(file));
    }

    /// <summary>Whether the file, by its path relative to the folder with forward slashes, stays away.</summary>
    public bool Ignores(string relativePath)
    {
        var ignored = false;
        foreach (var (pattern, ignore) in rules)
        {
            ignored = pattern.IsMatch(relativePath) ? ignore : ignored;
        }

        return ignored;
    }

    /// <summary>Without blanks at its end, but for one that is escaped.</summary>
    private static string Trimmed(string line)
    {
        var trimmed = line.TrimEnd();
        return trimmed.EndsWith('\\') && trimmed.Length < line.Length ? trimmed + " " : trimmed;
    }

    // A pattern with a slash before its end is anchored at the folder; any match also covers everything below it.
    private static Regex Compile(string pattern)
    {
        var anchored = pattern.TrimEnd('/').Contains('/', StringComparison.Ordinal);
        var text = new StringBuilder(anchored ? "^" : "(?:^|/)");
        var body = pattern.Trim('/');
        for (var i = 0; i < body.Length; i++)
        {
            text.Append(body[i] switch
            {
                '\\' when i + 1 < body.Length => Regex.Escape(body[++i].ToString()),
                '*' when (i == 0 || body[i - 1] == '/') && body.AsSpan(i).StartsWith("**/") => Skip(ref i, 2, "(?:.*/)?"),
                '*' when body.AsSpan(i).StartsWith("**") => Skip(ref i, 1, ".*"),
                '*' => "[^/]*",
                '?' => "[^/]",
                '[' when ClassAt(body, i) is { } found => Skip(ref i, found.Length - 1, found.Pattern),
                _ => Regex.Escape(body[i].ToString()),
            });
        }

        return new Regex(text.Append(pattern.EndsWith('/') ? "/" : "(?:/|$)").ToString(), RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
    }

    /// <summary>A class of characters, <c>[a-z]</c> or <c>[!a-z]</c>; null when the bracket never closes.</summary>
    private static (string Pattern, int Length)? ClassAt(string body, int at)
    {
        var from = at + 1;
        var negated = from < body.Length && body[from] is '!' or '^';
        from += negated ? 1 : 0;
        var end = from < body.Length ? body.IndexOf(']', from + 1) : -1;
        if (end < 0)
        {
            return null;
        }

        var inside = body[from..end].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal);
        return ($"(?!/)[{(negated ? "^" : inside.StartsWith('^') ? "\\" : "")}{inside}]", end - at + 1);
    }

    private static string Skip(ref int at, int more, string text)
    {
        at += more;
        return text;
    }
}
