using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Tables;

/// <summary>
/// Tables in JSON documents: MLflow's <c>log_table</c> and pandas' <c>split</c>, lists of records, rows or values, columns by name (azureml-core's <c>log_table</c>), one row
/// (<c>log_row</c>), and azureml-core's documents with a <c>schema_type</c>.
/// </summary>
internal static class JsonTables
{
    private const int MostColumns = 5000;

    /// <summary>The table of a document; null when it is none.</summary>
    public static Table? Of(JsonElement root, TablePlace place) => root.ValueKind switch
    {
        JsonValueKind.Array => OfList([.. root.EnumerateArray()], place),
        JsonValueKind.Object when root.TryGetProperty("schema_type", out var type) && type.ValueKind == JsonValueKind.String && root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object
            => AzureTables.Of(type.GetString()!, data, place),
        JsonValueKind.Object when root.TryGetProperty("columns", out var names) && names.ValueKind == JsonValueKind.Array && root.TryGetProperty("data", out var rows) && rows.ValueKind == JsonValueKind.Array
            => Split([.. names.EnumerateArray()], [.. rows.EnumerateArray()], place),
        JsonValueKind.Object => OfMembers([.. root.EnumerateObject()], place),
        _ => null,
    };

    /// <summary>Rows of cells under names, from the wanted place on.</summary>
    public static Table Page(string format, IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<JsonElement>> rows, TablePlace place)
    {
        if (names.Count > MostColumns)
        {
            throw new BrokenTableException(0, $"The table has more than {MostColumns} columns.");
        }

        var from = (int)Math.Min(place.Numbers()!.Value.Row, rows.Count);
        var shown = new List<JsonArray>();
        var bytes = 0L;
        foreach (var row in rows.Skip(from).Take(place.Limit))
        {
            bytes += row.Sum(cell => cell.ValueKind == JsonValueKind.Undefined ? 1L : cell.GetRawText().Length);
            if (shown.Count > 0 && bytes > place.Bytes)
            {
                break;
            }

            shown.Add(new JsonArray([.. row.Select(TableCells.Cell)]));
        }

        var next = from + shown.Count;
        return new Table
        {
            Format = format,
            Columns = [.. names.Select((name, i) => new TableColumn(name, TableCells.TypeOf(rows.Where(row => i < row.Count).Select(row => row[i]))))],
            Rows = shown,
            Offset = from,
            Total = rows.Count,
            Next = next < rows.Count ? string.Create(CultureInfo.InvariantCulture, $"{next}.0.0") : null,
        };
    }

    private static Table Split(JsonElement[] names, JsonElement[] rows, TablePlace place)
    {
        var cells = rows.Select((row, i) => row.ValueKind == JsonValueKind.Array && row.GetArrayLength() == names.Length
            ? (IReadOnlyList<JsonElement>)[.. row.EnumerateArray()]
            : throw new BrokenTableException(0, $"Row {i} does not have the {names.Length} cells that 'columns' names.")).ToList();
        return Page("split", [.. names.Select(Name)], cells, place);
    }

    private static Table? OfList(JsonElement[] items, TablePlace place)
    {
        if (items.Length > 0 && Array.TrueForAll(items, item => item.ValueKind == JsonValueKind.Object))
        {
            var names = items.SelectMany(item => item.EnumerateObject().Select(member => member.Name)).Distinct(StringComparer.Ordinal).ToList();
            return Page("records", names, [.. items.Select(item => names.ConvertAll(name => item.TryGetProperty(name, out var cell) ? cell : default))], place);
        }

        if (items.Length > 0 && Array.TrueForAll(items, item => item.ValueKind == JsonValueKind.Array))
        {
            var width = items.Max(item => item.GetArrayLength());
            return Page("rows", [.. Enumerable.Range(0, width).Select(Number)], [.. items.Select(item => Padded([.. item.EnumerateArray()], width))], place);
        }

        return Array.TrueForAll(items, IsScalar) ? Page("values", ["value"], [.. items.Select(item => (IReadOnlyList<JsonElement>)[item])], place) : null;
    }

    /// <summary>Members of a map: columns of equal names for every row, columns as pandas writes them (by index), or the cells of one row.</summary>
    private static Table? OfMembers(JsonProperty[] members, TablePlace place)
    {
        var names = members.Select(member => member.Name).ToList();
        if (members.Length == 0)
        {
            return null;
        }

        if (Array.TrueForAll(members, member => member.Value.ValueKind == JsonValueKind.Array))
        {
            var height = members.Max(member => member.Value.GetArrayLength());
            var columns = members.Select(member => Padded([.. member.Value.EnumerateArray()], height)).ToList();
            return Page("columns", names, [.. Enumerable.Range(0, height).Select(row => columns.ConvertAll(column => column[row]))], place);
        }

        if (Array.TrueForAll(members, member => member.Value.ValueKind == JsonValueKind.Object && member.Value.EnumerateObject().All(cell => IsScalar(cell.Value))))
        {
            var keys = members.SelectMany(member => member.Value.EnumerateObject().Select(cell => cell.Name)).Distinct(StringComparer.Ordinal).ToList();
            return Page("columns", names, [.. keys.Select(key => names.ConvertAll(name => members[names.IndexOf(name)].Value.TryGetProperty(key, out var cell) ? cell : default))], place);
        }

        return Array.TrueForAll(members, member => IsScalar(member.Value)) ? Page("row", names, [members.Select(member => member.Value).ToList()], place) : null;
    }

    public static IReadOnlyList<JsonElement> Padded(JsonElement[] cells, int width) => cells.Length == width ? cells : [.. cells.Take(width), .. new JsonElement[Math.Max(0, width - cells.Length)]];

    public static string Number(int index) => index.ToString(CultureInfo.InvariantCulture);

    public static string Name(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static bool IsScalar(JsonElement value) => value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);
}
