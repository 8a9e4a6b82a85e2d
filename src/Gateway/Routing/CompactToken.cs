using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Gateway.Routing;

/// <summary>Signed JSON Web Tokens in compact form.</summary>
internal static class CompactToken
{
    /// <summary>Whether the signature over what was signed is by the key with that id.</summary>
    public delegate bool Verifier(string keyId, byte[] signed, byte[] signature);

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    public static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));

    /// <summary>The claims of a token of that algorithm with a valid signature, else null. Keys named inside the token are never looked at.</summary>
    public static JsonObject? Read(string token, string algorithm, Verifier verifies)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
        {
            return null;
        }

        try
        {
            return Decode(parts[0]) is { } head && Text(head, "alg") == algorithm && !head.ContainsKey("crit") && Text(head, "kid") is { } kid
                && verifies(kid, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]))
                ? Decode(parts[1])
                : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or ArgumentException)
        {
            return null;
        }
    }

    public static string? Text(JsonObject o, string name) => o[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>A time in seconds since 1970; null when it is missing or no such time.</summary>
    public static DateTimeOffset? Time(JsonObject o, string name) =>
        o[name] is JsonValue value && value.TryGetValue<long>(out var seconds) && seconds is >= 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static JsonObject? Decode(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part), null, Strict) as JsonObject;
}
