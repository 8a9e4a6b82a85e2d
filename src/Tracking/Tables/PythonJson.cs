using System.Text.Json;

namespace Zaffre.Tracking.Tables;

/// <summary>JSON as Python writes it: NaN and the infinities stand bare.</summary>
internal static class PythonJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    private static readonly (byte[] Bare, byte[] Quoted)[] Words = [("NaN"u8.ToArray(), "\"NaN\""u8.ToArray()), ("-Infinity"u8.ToArray(), "\"-Infinity\""u8.ToArray()), ("Infinity"u8.ToArray(), "\"Infinity\""u8.ToArray())];

    /// <summary>Parses text before which <paramref name="lines"/> lines lie; bare words for numbers become texts.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, long lines)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException exception)
        {
            return Quoted(json.Span) is { } quoted ? Again(quoted, lines) : throw Broken(exception, lines);
        }
    }

    private static JsonDocument Again(byte[] json, long lines)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException exception)
        {
            throw Broken(exception, lines);
        }
    }

    private static BrokenTableException Broken(JsonException exception, long lines) => new(lines + (exception.LineNumber ?? 0) + 1, "The file is not valid JSON.");

    private static byte[]? Quoted(ReadOnlySpan<byte> json)
    {
        var made = new MemoryStream(json.Length + 64);
        var (inText, any) = (false, false);
        for (var i = 0; i < json.Length; i++)
        {
            var word = inText ? -1 : WordAt(json[i..]);
            if (word >= 0)
            {
                made.Write(Words[word].Quoted);
                i += Words[word].Bare.Length - 1;
                any = true;
                continue;
            }

            made.WriteByte(json[i]);
            if (json[i] == '\\' && inText && i + 1 < json.Length)
            {
                made.WriteByte(json[++i]);
            }
            else if (json[i] == '"')
            {
                inText = !inText;
            }
        }

        return any ? made.ToArray() : null;
    }

    private static int WordAt(ReadOnlySpan<byte> json)
    {
        for (var word = 0; word < Words.Length; word++)
        {
            if (json.StartsWith(Words[word].Bare))
            {
                return word;
            }
        }

        return -1;
    }
}
