using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Zaffre.Gateway.Onnx;

/// <summary>What a content type says of a body.</summary>
internal static class MediaKind
{
    public const string Json = "json";
    public const string Csv = "csv";

    /// <summary>JSON, also when nothing is said; CSV; throws for what cannot be read.</summary>
    public static string Of(string? contentType)
    {
        var parts = (contentType ?? "").ToLowerInvariant().Split(';', 2);
        var charset = parts.Length < 2 || parts[1].IndexOf("charset=", StringComparison.Ordinal) is not (>= 0 and var at) ? "" : parts[1][(at + 8)..].Split(';')[0].Trim(' ', '"');
        if (charset is not ("" or "utf-8" or "utf8" or "us-ascii"))
        {
            throw new InputException($"The charset '{charset}' is not supported; send UTF-8.", 415);
        }

        return parts[0].Trim() switch
        {
            "text/csv" => Csv,
            "" or "application/json" or "application/octet-stream" or "application/x-www-form-urlencoded" => Json,
            var kind when kind.EndsWith("+json", StringComparison.Ordinal) => Json,
            var kind => throw new InputException($"The content type '{kind}' is not supported; send application/json or text/csv.", 415),
        };
    }
}

/// <summary>A CSV body, whose first line names the columns, as a split table in JSON.</summary>
internal static class CsvBody
{
    public static ReadOnlySpan<byte> ToSplit(ReadOnlySpan<byte> body)
    {
        var lines = Lines(Encoding.UTF8.GetString(body.StartsWith("\uFEFF"u8) ? body[3..] : body));
        if (lines.Count == 0)
        {
            throw new InputException("The CSV body is empty; its first line names the columns.");
        }

        var buffer = new ArrayBufferWriter<byte>(body.Length * 2 + 64);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("dataframe_split");
            json.WriteStartArray("columns");
            lines[0].ForEach(json.WriteStringValue);
            json.WriteEndArray();
            json.WriteStartArray("data");
            for (var i = 1; i < lines.Count; i++)
            {
                WriteRow(json, lines[i], i + 1, lines[0].Count);
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan;
    }

    private static void WriteRow(Utf8JsonWriter json, List<string> cells, int line, int width)
    {
        if (cells.Count != width)
        {
            throw new InputException($"Line {line} of the CSV body has {cells.Count} values for {width} columns.");
        }

        json.WriteStartArray();
        foreach (var cell in cells)
        {
            if (cell.Length == 0)
            {
                json.WriteNullValue();
            }
            else if (long.TryParse(cell, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            {
                json.WriteNumberValue(whole);
            }
            else if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real))
            {
                json.WriteNumberValue(real);
            }
            else if (bool.TryParse(cell, out var truth))
            {
                json.WriteBooleanValue(truth);
            }
            else
            {
                json.WriteStringValue(cell);
            }
        }

        json.WriteEndArray();
    }

    private static List<List<string>> Lines(string text)
    {
        List<List<string>> lines = [];
        List<string> line = [];
        var cell = new StringBuilder();
        var (quoted, any) = (false, false);
        for (var i = 0; i <= text.Length; i++)
        {
            var c = i == text.Length ? '\n' : text[i];
            if (quoted && i < text.Length)
            {
                quoted = c != '"';
                if (!quoted && i + 1 < text.Length && text[i + 1] == '"')
                {
                    (quoted, i) = (true, i + 1);
                }

                _ = quoted ? cell.Append(c) : cell;
            }
            else if (c == '"')
            {
                (quoted, any) = (true, true);
            }
            else if (c is ',' or '\n')
            {
                line.Add(cell.ToString());
                cell.Clear();
                if (c == '\n')
                {
                    if (any || line.Count > 1 || line[0].Length > 0)
                    {
                        lines.Add(line);
                    }

                    (line, any) = ([], false);
                }
            }
            else if (c != '\r')
            {
                cell.Append(c);
            }
        }

        return lines;
    }
}
