using System.Text;
using System.Text.Json;

namespace Zaffre.Tracking.Traces;

/// <summary>Reads one attribute out of the document of a span, as text.</summary>
internal static class SpanAttributes
{
    /// <summary>
    /// The attribute, null when the span has none of that name. Text is as it is, without the quotes that MLflow's client puts around text (it writes every attribute
    /// as JSON); numbers, true and false are spelled as in JSON, and lists and maps are the JSON of OTLP's value.
    /// </summary>
    public static object? Find(string? document, string? name)
    {
        if (document is null || name is null)
        {
            return null;
        }

        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(document));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var attributes = reader.ValueTextEquals("attributes"u8);
            reader.Read();
            if (attributes && reader.TokenType == JsonTokenType.StartArray)
            {
                return Among(ref reader, name);
            }

            reader.Skip();
        }

        return null;
    }

    private static string? Among(ref Utf8JsonReader reader, string name)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var found = false;
            string? value = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isKey, isValue) = (reader.ValueTextEquals("key"u8), reader.ValueTextEquals("value"u8));
                reader.Read();
                if (isKey && reader.TokenType == JsonTokenType.String)
                {
                    found = reader.ValueTextEquals(name);
                }
                else if (isValue && reader.TokenType == JsonTokenType.StartObject)
                {
                    value = Value(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }

            if (found)
            {
                return value ?? "";
            }
        }

        return null;
    }

    /// <summary>Reads one of OTLP's values to its end.</summary>
    private static string? Value(ref Utf8JsonReader reader)
    {
        string? value = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            reader.Read();
            value = reader.TokenType == JsonTokenType.String ? Unquoted(reader.GetString()!) : JsonElement.ParseValue(ref reader).GetRawText();
        }

        return value;
    }

    private static string Unquoted(string text)
    {
        if (text is not ['"', .., '"'])
        {
            return text;
        }

        try
        {
            return JsonDocument.Parse(text).RootElement.GetString() ?? "";
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return text;
        }
    }
}
