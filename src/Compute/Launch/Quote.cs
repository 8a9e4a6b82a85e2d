using System.Text;

namespace Zaffre.Compute.Launch;

/// <summary>Writing words so that another program reads them back unchanged.</summary>
internal static class Quote
{
    /// <summary>One word of a POSIX shell.</summary>
    public static string Shell(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>One field of an fstab line.</summary>
    public static string Fstab(string path)
    {
        var text = new StringBuilder();
        foreach (var c in path)
        {
            _ = c is ' ' or '\t' or '\n' or '\\' or '#' ? text.Append('\\').Append(Convert.ToString(c, 8).PadLeft(3, '0')) : text.Append(c);
        }

        return text.ToString();
    }
}
