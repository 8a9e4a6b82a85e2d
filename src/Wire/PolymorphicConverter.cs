using System.Text.Json;
using System.Text.Json.Serialization;

namespace Zaffre.Wire;

/// <summary>
/// Reads an object as the record that its discriminator names. Clients put the discriminator anywhere in the object and spell
/// it in any casing, and newer ones send kinds unknown here: those become <paramref name="unknown"/>, with every member kept.
/// </summary>
internal abstract class PolymorphicConverter<T>(string discriminator, Type unknown, Dictionary<string, Type> kinds) : JsonConverter<T>
    where T : class
{
    public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"An object with a '{discriminator}' is expected.");
        }

        var kind = Discriminator(reader);
        return (T?)JsonSerializer.Deserialize(ref reader, kind is not null && kinds.TryGetValue(kind, out var found) ? found : unknown, options);
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, value.GetType(), options);

    // The reader is a copy: looking ahead does not move the caller's.
    private string? Discriminator(Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var here = string.Equals(reader.GetString(), discriminator, StringComparison.OrdinalIgnoreCase);
            if (!reader.Read() || here)
            {
                return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            }

            reader.Skip();
        }

        return null;
    }
}
