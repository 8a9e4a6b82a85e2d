using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>Prints results as <c>-o</c> asks: json, table, tsv or none; <c>--query</c> picks a member first.</summary>
internal static class Printer
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Print(JsonNode? result, string format, string? query)
    {
        var picked = query is null ? result : QueryPath.Pick(result, query);
        switch (format)
        {
            case "none":
                break;
            case "tsv":
                Tsv(picked);
                break;
            case "table":
                Table(picked);
                break;
            default:
                Console.WriteLine(picked?.ToJsonString(Indented) ?? "null");
                break;
        }
    }

    private static void Tsv(JsonNode? node)
    {
        foreach (var row in node is JsonArray rows ? [.. rows] : new[] { node })
        {
            Console.WriteLine(string.Join('\t', row switch
            {
                JsonObject map => map.Select(pair => pair.Value.Text() ?? ""),
                JsonArray cells => cells.Select(cell => cell.Text() ?? ""),
                _ => [row.Text() ?? ""],
            }));
        }
    }

    private static void Table(JsonNode? node)
    {
        var rows = (node is JsonArray array ? array.OfType<JsonObject>() : node is JsonObject one ? [one] : []).ToList();
        if (rows.Count == 0)
        {
            Tsv(node);
            return;
        }

        var columns = rows.SelectMany(row => row).Where(pair => pair.Value is JsonValue && pair.Key != "id").Select(pair => pair.Key).Distinct().ToList();
        var lines = rows.Select(row => columns.ConvertAll(column => row[column].Text() ?? "")).Prepend(columns).ToList();
        lines.Insert(1, columns.ConvertAll(column => new string('-', column.Length)));
        var widths = columns.Select((_, i) => lines.Max(line => line[i].Length)).ToList();
        foreach (var line in lines)
        {
            Console.WriteLine(string.Join("  ", line.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
        }
    }
}
