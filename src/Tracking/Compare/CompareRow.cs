using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Compare;

/// <summary>One thing side by side: a value for each run, null where a run has none.</summary>
internal sealed record CompareRow(string Name, IReadOnlyList<JsonNode?> Values, string State)
{
    public const string Same = "same";
    public const string Different = "different";
    public const string Unknown = "unknown";

    private const int LongestText = 1000;

    /// <summary>More members of the row.</summary>
    public JsonObject? More { get; init; }

    /// <summary>A row of texts. Long ones are compared whole and shown by their beginning.</summary>
    public static CompareRow OfTexts(string name, IReadOnlyList<string?> texts) => new(name, [.. texts.Select(Shown)], StateOf(texts))
    {
        More = texts.Any(text => text?.Length > LongestText) ? new JsonObject { ["cut"] = true } : null,
    };

    /// <summary>Same when all are equal; a run that has none differs from one that has.</summary>
    public static string StateOf<T>(IReadOnlyList<T> values) => values.All(value => EqualityComparer<T>.Default.Equals(value, values[0])) ? Same : Different;

    public static JsonNode? Shown(string? text) => text is null ? null : text.Length > LongestText ? text[..LongestText] + "..." : text;

    /// <summary>A number as JSON has it; NaN and the infinities as texts.</summary>
    public static JsonNode? Number(double? value) => value switch
    {
        null => null,
        { } number when double.IsFinite(number) => number,
        { } number => double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity",
    };

    public JsonObject ToJson()
    {
        var row = new JsonObject { ["name"] = Name };
        foreach (var (name, value) in More?.Copy() ?? [])
        {
            row[name] = value?.DeepClone();
        }

        row["state"] = State;
        row["values"] = new JsonArray([.. Values]);
        return row;
    }
}
