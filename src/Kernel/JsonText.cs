using System.Text.Json;
using System.Text.Unicode;

namespace Zaffre.Kernel;

/// <summary>Finds text in JSON that could not be written again: a parser accepts it, and fails when the string is read.</summary>
public static class JsonText
{
    /// <summary>What is wrong with the strings of a document that parses; null when nothing is.</summary>
    public static string? Fault(ReadOnlySpan<byte> json, int maxDepth)
    {
        if (!Utf8.IsValid(json))
        {
            return "it is not UTF-8.";
        }

        if (json.IndexOf("\\u"u8) < 0)
        {
            return null;
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }

            return null;
        }
        catch (InvalidOperationException)
        {
            return $"the text before byte {reader.BytesConsumed} holds half of a surrogate pair.";
        }
    }
}
