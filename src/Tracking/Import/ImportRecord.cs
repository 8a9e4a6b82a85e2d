using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Import;

/// <summary>What is wrong with a member of a record.</summary>
internal sealed record ImportProblem(string Path, string Message);

/// <summary>One line of an import. Reading a member never fails: what is wrong is collected, so that all of it can be told at once.</summary>
internal sealed class ImportRecord
{
    public const int LongestName = 250;
    public const int LongestId = 255;
    public const int LongestText = 100_000;

    private const long Earliest = -62_135_596_800_000;
    private const long Latest = 253_402_300_799_999;

    private readonly JsonObject json;
    private readonly string prefix;
    private readonly List<ImportProblem> problems;

    public ImportRecord(int line, JsonObject json)
        : this(line, json, "", [])
    {
    }

    private ImportRecord(int line, JsonObject json, string prefix, List<ImportProblem> problems) => (Line, this.json, this.prefix, this.problems) = (line, json, prefix, problems);

    public int Line { get; }

    public IReadOnlyList<ImportProblem> Problems => problems;

    /// <summary>Notes a fault of a member.</summary>
    public void Fault(string member, string message) => problems.Add(new ImportProblem(prefix + member, message));

    /// <summary>A text, null when absent. Numbers and booleans are read as text.</summary>
    public string? Text(string member, int most = LongestText)
    {
        switch (json[member])
        {
            case null:
                return null;
            case JsonValue value when value.Text() is { } text:
                if (text.Length <= most && !text.Contains('\0', StringComparison.Ordinal))
                {
                    return text;
                }

                Fault(member, text.Length > most ? $"it has {text.Length} characters, at most {most} are kept." : "it holds a NUL character.");
                return null;
            default:
                Fault(member, "it must be a text.");
                return null;
        }
    }

    /// <summary>A text that must be there and not be empty.</summary>
    public string Required(string member, int most = LongestName)
    {
        if (json[member] is null)
        {
            Fault(member, "it is missing.");
            return "";
        }

        var text = Text(member, most);
        if (text is "")
        {
            Fault(member, "it is empty.");
        }

        return text ?? "";
    }

    /// <summary>A required text that <paramref name="rule"/> accepts.</summary>
    public string Required(string member, Func<string, string?> rule)
    {
        var text = Required(member, LongestId);
        if (text.Length > 0 && rule(text) is { } wrong)
        {
            Fault(member, wrong);
        }

        return text;
    }

    public long? Whole(string member)
    {
        if (json[member] is not { } node)
        {
            return null;
        }

        if (node is JsonValue value && long.TryParse(value.Text(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Fault(member, "it must be a whole number.");
        return null;
    }

    /// <summary>Milliseconds since 1970 that are a date at all.</summary>
    public long? Time(string member)
    {
        var time = Whole(member);
        if (time is < Earliest or > Latest)
        {
            Fault(member, "it must be in milliseconds since 1970.");
            return null;
        }

        return time;
    }

    public bool Flag(string member) => json[member] switch
    {
        null => false,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        _ => FaultyFlag(member),
    };

    /// <summary>A map of texts.</summary>
    public IReadOnlyList<(string Name, string Value)> Pairs(string member, int longest = LongestText)
    {
        var pairs = new List<(string, string)>();
        if (json[member] is not JsonObject map)
        {
            if (json[member] is not null)
            {
                Fault(member, "it must be an object of texts.");
            }

            return pairs;
        }

        var inner = new ImportRecord(Line, map, $"{prefix}{member}.", problems);
        foreach (var (name, _) in map)
        {
            if (name.Length is 0 or > LongestName || name.Any(char.IsControl))
            {
                inner.Fault(name.Length > 60 ? name[..60] + "..." : name, $"a name has 1 to {LongestName} characters and none that controls.");
            }
            else
            {
                pairs.Add((name, inner.Text(name, longest) ?? ""));
            }
        }

        return pairs;
    }

    public IReadOnlyList<string> Texts(string member)
    {
        var items = Array(member);
        var texts = items.Select(item => item.Text() ?? "").ToList();
        if (texts.Any(text => text.Length is 0 or > LongestId))
        {
            Fault(member, $"each must be a text of 1 to {LongestId} characters.");
        }

        return texts;
    }

    /// <summary>The objects of a list, each with a path of its own.</summary>
    public IReadOnlyList<ImportRecord> Objects(string member)
    {
        var found = new List<ImportRecord>();
        foreach (var (item, i) in Array(member).Select((item, i) => (item, i)))
        {
            if (item is JsonObject inner)
            {
                found.Add(new ImportRecord(Line, inner, $"{prefix}{member}[{i}].", problems));
            }
            else
            {
                Fault($"{member}[{i}]", "it must be an object.");
            }
        }

        return found;
    }

    public IReadOnlyList<JsonNode?> Array(string member)
    {
        if (json[member] is JsonArray list)
        {
            return [.. list];
        }

        if (json[member] is not null)
        {
            Fault(member, "it must be a list.");
        }

        return [];
    }

    /// <summary>The member as it was sent.</summary>
    public JsonNode? Node(string member) => json[member];

    /// <summary>The record as it was sent.</summary>
    public JsonObject Document() => json.Copy();

    /// <summary>A number, where NaN and the infinities are texts.</summary>
    public static double? Real(JsonNode? node) => node.Text() switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        { } text when node!.GetValueKind() == JsonValueKind.Number && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        _ => null,
    };

    private bool FaultyFlag(string member)
    {
        Fault(member, "it must be true or false.");
        return false;
    }
}
