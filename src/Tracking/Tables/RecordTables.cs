using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Tracking.Tables;

/// <summary>Tables that are read record by record from a place in the file on: separated values, and lines of JSON.</summary>
internal static class RecordTables
{
    /// <summary>So many rows at the beginning of a file say what its columns are.</summary>
    private const int Sample = 1000;

    private const long SampleBytes = 8 * 1024 * 1024;

    /// <summary>A file of separated values whose first record names the columns.</summary>
    public static async Task<Table> SeparatedAsync(Stream stream, char separator, TablePlace place, CancellationToken ct)
    {
        var records = new CsvRecords(stream, (byte)separator);
        await records.BeginAsync(ct);
        if (await records.ReadAsync(ct) is not { } names)
        {
            return new Table { Format = Format(separator), Total = 0 };
        }

        var (begin, line) = (records.Position, records.Ends);
        var sample = new List<IReadOnlyList<string>>();
        while (sample.Count < Sample && records.Position < SampleBytes && await NextAsync(records, names.Count, ct) is { } record)
        {
            sample.Add(record);
        }

        var columns = names.Select((name, i) => new TableColumn(name.Length == 0 ? $"column {i}" : name, TableCells.TypeOf(sample.Select(record => record[i])))).ToList();
        var (row, position, lines) = place.From is null ? (0, begin, line) : place.Numbers()!.Value;
        records.Seek(position, lines);
        var (rows, bytes) = (new List<JsonArray>(), position);
        var next = await NextAsync(records, names.Count, ct);
        while (next is not null && rows.Count < place.Limit && (rows.Count == 0 || records.Position - bytes <= place.Bytes))
        {
            rows.Add(new JsonArray([.. next.Select((cell, i) => TableCells.Cell(cell, columns[i].Type))]));
            (position, lines) = (records.Position, records.Ends);
            next = await NextAsync(records, names.Count, ct);
        }

        return new Table
        {
            Format = Format(separator),
            Columns = columns,
            Rows = rows,
            Offset = row,
            Next = next is null ? null : $"{row + rows.Count}.{position}.{lines}",
            Total = next is null ? row + rows.Count : null,
        };
    }

    /// <summary>A file with an object on each line.</summary>
    public static async Task<Table> LinesAsync(Stream stream, TablePlace place, CancellationToken ct)
    {
        using var lines = new JsonLines(stream);
        var sample = new List<JsonElement>();
        while (sample.Count < Sample && lines.Position < SampleBytes && await lines.ReadAsync(ct) is { } element)
        {
            sample.Add(element);
        }

        var names = sample.SelectMany(element => element.EnumerateObject().Select(member => member.Name)).Distinct(StringComparer.Ordinal).ToList();
        var columns = names.ConvertAll(name => new TableColumn(name, TableCells.TypeOf(sample.Where(element => element.TryGetProperty(name, out _)).Select(element => element.GetProperty(name)))));
        var (row, position, number) = place.Numbers()!.Value;
        lines.Seek(position, number);
        var (rows, bytes) = (new List<JsonArray>(), position);
        var next = await lines.ReadAsync(ct);
        while (next is { } found && rows.Count < place.Limit && (rows.Count == 0 || lines.Position - bytes <= place.Bytes))
        {
            rows.Add(new JsonArray([.. names.Select(name => found.TryGetProperty(name, out var cell) ? TableCells.Cell(cell) : null)]));
            (position, number) = (lines.Position, lines.Line);
            next = await lines.ReadAsync(ct);
        }

        return new Table
        {
            Format = "jsonl",
            Columns = columns,
            Rows = rows,
            Offset = row,
            Next = next is null ? null : $"{row + rows.Count}.{position}.{number}",
            Total = next is null ? row + rows.Count : null,
        };
    }

    private static string Format(char separator) => separator == '\t' ? "tsv" : "csv";

    private static async Task<IReadOnlyList<string>?> NextAsync(CsvRecords records, int fields, CancellationToken ct) => await records.ReadAsync(ct) switch
    {
        null => null,
        var record when record.Count == fields => record,
        var record => throw new BrokenTableException(records.Line, $"The record has {record.Count} fields where the first line names {fields}."),
    };
}
