using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Tracking.Tables;

/// <summary>A column; <paramref name="Type"/> is <c>number</c>, <c>boolean</c>, <c>text</c> or <c>json</c> (cells of several kinds, lists and objects).</summary>
internal sealed record TableColumn(string Name, string Type);

/// <summary>Rows of an artifact, from one on.</summary>
internal sealed record Table
{
    /// <summary>What it is: <c>table</c>, <c>confusionMatrix</c>, <c>accuracyTable</c>, <c>predictions</c>, <c>residuals</c> or <c>image</c>.</summary>
    public string Kind { get; init; } = "table";

    /// <summary>How it is written: <c>csv</c>, <c>tsv</c>, <c>jsonl</c>, <c>split</c>, <c>records</c>, <c>columns</c>, <c>rows</c>, <c>row</c>, <c>values</c>, <c>azureml</c>, or the kind of an image.</summary>
    public required string Format { get; init; }

    public IReadOnlyList<TableColumn> Columns { get; init; } = [];

    public IReadOnlyList<JsonArray> Rows { get; init; } = [];

    /// <summary>The number of the first row, from 0.</summary>
    public long Offset { get; init; }

    /// <summary>Where the next rows begin; null at the end.</summary>
    public string? Next { get; init; }

    /// <summary>How many rows there are, where that is known.</summary>
    public long? Total { get; init; }

    /// <summary>What the kind adds: labels and matrix, width and height.</summary>
    public JsonObject? More { get; init; }

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["kind"] = Kind, ["format"] = Format };
        if (Kind != "image")
        {
            json["columns"] = new JsonArray([.. Columns.Select(column => (JsonNode)new JsonObject { ["name"] = column.Name, ["type"] = column.Type })]);
            json["offset"] = Offset;
            json["total"] = Total;
            json["rows"] = new JsonArray([.. Rows]);
        }

        foreach (var (name, value) in More?.Copy() ?? [])
        {
            json[name] = value?.DeepClone();
        }

        return json;
    }
}

/// <summary>Which rows are wanted: from a place that an earlier answer named, so many, of about so many bytes.</summary>
internal sealed record TablePlace(string? From, int Limit, int Bytes)
{
    /// <summary>The numbers of the place: row, byte, line; null when it is none.</summary>
    public (long Row, long Byte, long Line)? Numbers()
    {
        if (From is null)
        {
            return (0, 0, 0);
        }

        var parts = From.Split('.');
        var numbers = parts.Select(part => long.TryParse(part, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : -1).ToArray();
        return numbers is [>= 0, >= 0, >= 0] ? (numbers[0], numbers[1], numbers[2]) : null;
    }
}

/// <summary>An artifact that is not what it seems; <paramref name="line"/> from 1, 0 when no line can be named.</summary>
internal sealed class BrokenTableException(long line, string message) : Exception(message)
{
    public long Line => line;
}
