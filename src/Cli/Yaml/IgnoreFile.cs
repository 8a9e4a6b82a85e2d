using System.Text;
using System.Text.RegularExpressions;

namespace Zaffre.Cli;

/// <summary><c>.amlignore</c>, else <c>.gitignore</c>, in git's syntax: the last matching line decides, <c>!</c> takes back.</summary>
internal sealed class IgnoreFile
{
    private static readonly string[] Names = [".amlignore", ".gitignore"];
    private readonly List<(Regex Pattern, bool Ignore)> rules = [];

    private IgnoreFile(IEnumerable<string> lines)
    {
        foreach (var line in lines.Select(line => line.TrimEnd()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var negated = line[0] == '!';
            rules.Add((Compile(negated ? line[1..] : line), !negated));
        }
    }

    public static IgnoreFile Of(string folder)
    {
        var file = Names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        return new IgnoreFile(file is null ? [] : File.ReadLines(file));
    }

    public bool Ignores(string relativePath)
    {
        var ignored = false;
        foreach (var (pattern, ignore) in rules)
        {
            ignored = pattern.IsMatch(relativePath) ? ignore : ignored;
        }

        return ignored;
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
                '*' when body.AsSpan(i).StartsWith("**/") => Skip(ref i, 2, "(?:.*/)?"),
                '*' when body.AsSpan(i).StartsWith("**") => Skip(ref i, 1, ".*"),
                '*' => "[^/]*",
                '?' => "[^/]",
                _ => Regex.Escape(body[i].ToString()),
            });
        }

        return new Regex(text.Append(pattern.EndsWith('/') ? "/" : "(?:/|$)").ToString(), RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
    }

    private static string Skip(ref int at, int more, string text)
    {
        at += more;
        return text;
    }
}
