using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Tracking.Compare;

namespace Zaffre.Tracking.Tables;

/// <summary>Kinds of cells, and cells as typed JSON.</summary>
internal static class TableCells
{
    public const string Number = "number";
    public const string Boolean = "boolean";
    public const string Text = "text";
    public const string Json = "json";

    /// <summary>What all the texts of a column are; empty ones tell nothing.</summary>
    public static string TypeOf(IEnumerable<string> texts)
    {
        var type = "";
        foreach (var text in texts.Where(text => text.Length > 0))
        {
            var one = PythonNumber.Parse(text) is not null ? Number : IsBoolean(text) ? Boolean : Text;
            type = type.Length == 0 || type == one ? one : Text;
            if (type == Text)
            {
                break;
            }
        }

        return type.Length == 0 ? Text : type;
    }

    /// <summary>What all the values of a column are; nulls tell nothing, and texts that stand for NaN and infinities are numbers among numbers.</summary>
    public static string TypeOf(IEnumerable<JsonElement> values)
    {
        var types = values.Where(value => value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)).Select(value => value.ValueKind switch
        {
            JsonValueKind.Number => Number,
            JsonValueKind.True or JsonValueKind.False => Boolean,
            JsonValueKind.String when value.GetString() is "NaN" or "Infinity" or "-Infinity" => "",
            JsonValueKind.String => Text,
            _ => Json,
        }).Distinct(StringComparer.Ordinal).ToList();
        return types.Where(type => type.Length > 0).ToList() switch
        {
            [] => types.Count == 0 ? Text : Number,
            [var one] when types.Count == 1 || one is Number or Text => one,
            _ => Json,
        };
    }

    /// <summary>A text as a cell of its column's type; empty is null, and what does not fit stays a text.</summary>
    public static JsonNode? Cell(string text, string type)
    {
        if (text.Length == 0)
        {
            return null;
        }

        return type switch
        {
            Number when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
            Number when PythonNumber.Parse(text) is { } number => CompareRow.Number(number),
            Boolean when IsBoolean(text) => text.Equals("true", StringComparison.OrdinalIgnoreCase),
            _ => text,
        };
    }

    /// <summary>A value as a cell; lists and objects stay what they are.</summary>
    public static JsonNode? Cell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.Object => JsonObject.Create(value.Clone()),
        JsonValueKind.Array => JsonArray.Create(value.Clone()),
        _ => JsonValue.Create(value.Clone()),
    };

    private static bool IsBoolean(string text) => text.Equals("true", StringComparison.OrdinalIgnoreCase) || text.Equals("false", StringComparison.OrdinalIgnoreCase);
}
