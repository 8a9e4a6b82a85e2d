using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>The rule of paths inside URIs: no way out of the folder they name, in any spelling.</summary>
internal static class UriPath
{
    private const int Longest = 1024;

    /// <summary>The path without leading and trailing slashes, or why it is refused.</summary>
    public static Outcome<string> Check(string path, string uri)
    {
        var plain = path.Trim('/');
        if (plain.Length > Longest)
        {
            return ArmErrors.Invalid($"The path of a URI has at most {Longest} characters; this one has {plain.Length}.");
        }

        var decoded = Decode(Decode(plain));
        return Climbs(plain) || Climbs(decoded)
            ? ArmErrors.Invalid($"The URI '{Shown(uri)}' is refused: its path holds '..', a backslash or a control character.")
            : plain;
    }

    /// <summary>Short enough for a message, and without control characters.</summary>
    public static string Shown(string uri)
    {
        var plain = new string([.. uri.Take(300).Select(c => char.IsControl(c) ? '?' : c)]);
        return uri.Length > 300 ? plain + "..." : plain;
    }

    private static bool Climbs(string path) =>
        path.Split('/').Any(part => part is "." or "..") || path.Any(c => char.IsControl(c) || c == '\\');

    private static string Decode(string text)
    {
        try
        {
            return Uri.UnescapeDataString(text);
        }
        catch (UriFormatException)
        {
            return text;
        }
    }
}
