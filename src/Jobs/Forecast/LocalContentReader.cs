using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Forecast;

/// <summary>Reads what a client tells of its files: names, digests and sizes, never what is in them. Everything wrong is told at once.</summary>
internal sealed partial class LocalContentReader(IContentDigests digests)
{
    private const int MostFiles = 50_000;
    private const int LongestName = 1024;
    private const int MostTexts = 64;
    private const int MostLines = 100_000;

    private readonly List<Problem> problems = [];
    private int files;

    /// <summary>Contents by placeholder, or what is wrong with them. <paramref name="known"/> are the placeholders that there are.</summary>
    public static Outcome<Dictionary<string, LocalContent>> Read(JsonNode? sent, IReadOnlySet<string> known, IContentDigests digests)
    {
        var reader = new LocalContentReader(digests);
        var contents = reader.Read(sent, known);
        return reader.problems.Count > 0 ? Problem.Combine(reader.problems) : contents;
    }

    private Dictionary<string, LocalContent> Read(JsonNode? sent, IReadOnlySet<string> known)
    {
        var contents = new Dictionary<string, LocalContent>(StringComparer.Ordinal);
        if (sent is not (null or JsonObject))
        {
            Wrong("contents", "must be a map of placeholders to what lies there.");
        }

        foreach (var (placeholder, node) in sent as JsonObject ?? [])
        {
            var path = $"contents.{Shorten(placeholder)}";
            if (!known.Contains(placeholder))
            {
                Wrong(path, "is no upload of this file.");
            }
            else if (node is not JsonObject map)
            {
                Wrong(path, "must be an object with name, hash, folder and files.");
            }
            else if (Content(map, path) is { } content)
            {
                contents[placeholder] = content;
            }
        }

        return contents;
    }

    private LocalContent? Content(JsonObject map, string path)
    {
        var before = problems.Count;
        var name = Text(map, "name", path);
        if (name is null || Fault(name) is not null || name.Contains('/', StringComparison.Ordinal))
        {
            Wrong($"{path}.name", "must be the name of a file or folder, without a way to it.");
        }

        var hash = Digest(map, "hash", path);
        var folder = map["folder"]?.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => Wrong($"{path}.folder", "must be true or false."),
        };
        var listed = map["files"] is null ? null : Files(map["files"]!, path);
        var whole = map["files"] is null ? Whole(map, path) : null;
        if (listed is not null && (folder ? listed.Count == 0 : listed is not [var one] || one.Name != name))
        {
            Wrong($"{path}.files", folder ? "must hold at least one file." : "must hold the file itself and nothing else.");
        }

        var lines = Lines(map["lines"], path);
        if (problems.Count > before)
        {
            return null;
        }

        var kept = folder ? listed : listed is null ? null : [listed[0] with { Name = "" }];
        return new LocalContent(name!, hash!, folder)
        {
            Digest = kept is null ? whole!.Value.Digest : digests.Of(kept),
            Files = kept,
            First = kept is null ? whole!.Value.First : kept.Select(file => file.Name).Order(StringComparer.Ordinal).First(),
            Lines = lines,
        };
    }

    private List<ContentFile>? Files(JsonNode node, string path)
    {
        if (node is not JsonArray list)
        {
            Wrong($"{path}.files", "must be a list of files with name, sha256 and size.");
            return null;
        }

        if ((files += list.Count) > MostFiles)
        {
            Wrong($"{path}.files", $"the files of one plan are at most {MostFiles}; tell digest, count, bytes and first instead of files.");
            return null;
        }

        var read = new List<ContentFile>(list.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (item, i) in list.Select((item, i) => (item, i)))
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{path}.files[{i}]");
            if (item is not JsonObject file)
            {
                Wrong(at, "must be an object with name, sha256 and size.");
                continue;
            }

            var name = Text(file, "name", at);
            if (name is not null && (Fault(name) ?? (names.Add(name) ? null : "is listed twice.")) is { } fault)
            {
                Wrong($"{at}.name", fault);
            }

            if (Digest(file, "sha256", at) is { } sha256 && Size(file, "size", at) is { } size && name is not null)
            {
                read.Add(new ContentFile(name, sha256, size));
            }
        }

        return read;
    }

    private (FolderDigest Digest, string First)? Whole(JsonObject map, string path)
    {
        var (digest, count, bytes, first) = (Digest(map, "digest", path), Size(map, "count", path), Size(map, "bytes", path), Text(map, "first", path));
        if (first is not null && Fault(first) is { } fault)
        {
            Wrong($"{path}.first", fault);
        }

        return digest is null || count is null || bytes is null || first is null ? null : (new FolderDigest(digest, count.Value, bytes.Value), first);
    }

    private Dictionary<string, string[]?> Lines(JsonNode? node, string path)
    {
        var lines = new Dictionary<string, string[]?>(StringComparer.Ordinal);
        if (node is not (null or JsonObject) || node is JsonObject { Count: > MostTexts })
        {
            Wrong($"{path}.lines", $"must be a map of at most {MostTexts} files to their lines.");
            return lines;
        }

        foreach (var (name, list) in node as JsonObject ?? [])
        {
            if (list is not (null or JsonArray { Count: <= MostLines }) || (list as JsonArray)?.Any(line => line?.GetValueKind() != JsonValueKind.String || line.Text()!.Length > 64) == true)
            {
                Wrong($"{path}.lines.{Shorten(name)}", $"must be a list of at most {MostLines} digests of lines, or null.");
            }
            else
            {
                lines[name] = list is null ? null : [.. ((JsonArray)list).Select(line => line.Text()!)];
            }
        }

        return lines;
    }

    private string? Text(JsonObject map, string name, string path)
    {
        if (map[name]?.GetValueKind() == JsonValueKind.String)
        {
            return map[name].Text();
        }

        Wrong($"{path}.{name}", "must be a text.");
        return null;
    }

    private string? Digest(JsonObject map, string name, string path)
    {
        if (map[name]?.GetValueKind() == JsonValueKind.String && HexDigest().IsMatch(map[name].Text()!))
        {
            return map[name].Text();
        }

        Wrong($"{path}.{name}", "must be 64 lower-case hex digits.");
        return null;
    }

    private long? Size(JsonObject map, string name, string path)
    {
        if (map[name] is JsonValue value && value.TryGetValue<long>(out var size) && size is >= 0 and < 1L << 53)
        {
            return size;
        }

        Wrong($"{path}.{name}", "must be a number of bytes or files.");
        return null;
    }

    /// <summary>Why a relative path is none, or null.</summary>
    private static string? Fault(string name) => name.Length is 0 or > LongestName ? $"must have 1 to {LongestName} characters."
        : name.Any(char.IsControl) || name.Split('/').Any(segment => segment is "" or "." or "..") ? "must be a path below the folder, with forward slashes and no '..' in it."
        : null;

    private bool Wrong(string path, string why)
    {
        if (problems.Count < 100)
        {
            problems.Add(ArmErrors.Invalid($"'{path}' {why}", path));
        }

        return false;
    }

    private static string Shorten(string text) => text.Length > 80 ? text[..80] + "..." : text;

    [GeneratedRegex(@"^[0-9a-f]{64}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex HexDigest();
}
