using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Zaffre.Kernel;

/// <summary>The JSON settings of every surface, and small readers for free-form documents.</summary>
public static class ZaffreJson
{
    /// <summary>camelCase, nulls omitted, no HTML escaping, case-insensitive on reading.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 128,
    };

    /// <summary>The member as a string: strings as they are, numbers and booleans as their JSON text, else null.</summary>
    public static string? Text(this JsonObject document, string name) => Text(document?[name]);

    /// <summary>The scalar as a string: strings as they are, numbers and booleans as their JSON text, else null.</summary>
    public static string? Text(this JsonNode? node) => node is not JsonValue value
        ? null
        : value.TryGetValue<string>(out var text) ? text : value.ToJsonString();

    /// <summary>The member as an object, or null when absent or of another kind.</summary>
    public static JsonObject? Object(this JsonObject document, string name) => document?[name] as JsonObject;

    /// <summary>The member as a boolean, or null when absent or of another kind.</summary>
    public static bool? Flag(this JsonObject document, string name) =>
        document?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;

    /// <summary>A deep copy.</summary>
    public static JsonObject Copy(this JsonObject document) => (JsonObject)document.DeepClone();
}
