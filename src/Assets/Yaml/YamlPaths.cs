using System.Text.RegularExpressions;

namespace Zaffre.Assets.Yaml;

/// <summary>Paths as they stand in YAML files, of clients on any system, made relative to the main file's folder.</summary>
internal static partial class YamlPaths
{
    public static bool IsLocal(string path) => !Scheme().IsMatch(path) || path.StartsWith("file:", StringComparison.OrdinalIgnoreCase) || Drive().IsMatch(path);

    public static bool LooksLikeYaml(string text) =>
        IsLocal(text) && (text.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) || text.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase));

    /// <summary><paramref name="path"/>, which stands in <paramref name="file"/>, relative to the main file's folder.</summary>
    public static string Resolve(string file, string path)
    {
        var plain = path.StartsWith("file:", StringComparison.OrdinalIgnoreCase) ? path["file:".Length..] : path;
        plain = plain.Replace('\\', '/');
        var slash = file.LastIndexOf('/');
        return plain.StartsWith('/') || Drive().IsMatch(plain) || slash < 0 ? Normalize(plain) : Normalize(file[..slash] + "/" + plain);
    }

    /// <summary>Without <c>.</c> segments, <c>a/..</c> pairs and doubled or trailing slashes; the folder itself is <c>.</c>.</summary>
    public static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Replace('\\', '/').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0 && parts[^1] != "..")
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        var joined = string.Join('/', parts);
        return path.StartsWith('/') ? "/" + joined : joined.Length == 0 ? "." : joined;
    }

    /// <summary>As shown to the client: a relative path begins with a dot.</summary>
    public static string ForClient(string path) => path.StartsWith('/') || path.StartsWith('.') || Drive().IsMatch(path) ? path : "./" + path;

    [GeneratedRegex("^(?:[A-Za-z][A-Za-z0-9+.-]*:|git\\+)", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Scheme();

    [GeneratedRegex("^[A-Za-z]:[/\\\\]", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Drive();
}
