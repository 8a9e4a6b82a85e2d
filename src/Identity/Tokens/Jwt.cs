using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Identity.Tokens;

/// <summary>
/// JSON Web Tokens in compact form, one algorithm (RS256), as strict as RFC 8725 asks: three unpadded base64url parts,
/// a known <c>kid</c>, no <c>crit</c>, no duplicate members. Keys named inside the token (<c>jwk</c>, <c>x5c</c>) are never looked at.
/// </summary>
internal static class Jwt
{
    public const int MaximumLength = 16 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    public static string Write(JsonObject claims, SigningKey key)
    {
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = "RS256", ["kid"] = key.Id };
        var signed = Encode(header) + "." + Encode(claims);
        return signed + "." + Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)));
    }

    /// <summary>The claims of a token with a valid signature, or null and why it is refused. Times and audience are the caller's to check.</summary>
    public static JsonDocument? Read(string token, SigningKeys keys, out string? kid, out string? reason)
    {
        kid = null;
        if (token.Length > MaximumLength)
        {
            reason = "it is too long";
            return null;
        }

        var parts = token.Split('.');
        if (parts.Length != 3 || !TryDecode(parts[0], out var header) || !TryDecode(parts[1], out var payload) || !TryDecode(parts[2], out var signature))
        {
            reason = "it is not a JSON Web Token in compact form";
            return null;
        }

        if (FindKey(header, keys, out reason) is not { } key)
        {
            return null;
        }

        if (!key.Verifies(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), signature))
        {
            reason = "its signature is wrong";
            return null;
        }

        kid = key.Id;
        return TryParseObject(payload, out var claims) ? claims : Refuse("its claims are not a JSON object", out reason);
    }

    private static SigningKey? FindKey(byte[] header, SigningKeys keys, out string? reason)
    {
        reason = null;
        if (!TryParseObject(header, out var parsed))
        {
            reason = "its header is not a JSON object";
            return null;
        }

        using (parsed)
        {
            var root = parsed!.RootElement;
            if (root.TextOrNull("alg") is not "RS256")
            {
                reason = "its algorithm is not RS256";
                return null;
            }

            if (root.TryGetProperty("crit", out _))
            {
                reason = "it demands an extension";
                return null;
            }

            if (root.TextOrNull("kid") is not { } kid || keys.Find(kid) is not { } key)
            {
                reason = "its signing key is unknown";
                return null;
            }

            return key;
        }
    }

    private static JsonDocument? Refuse(string why, out string? reason)
    {
        reason = why;
        return null;
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private static bool TryDecode(string part, out byte[] bytes)
    {
        bytes = [];
        if (part.Length == 0 || !part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || !Base64Url.IsValid(part))
        {
            return false;
        }

        bytes = Base64Url.DecodeFromChars(part);
        return true;
    }

    private static bool TryParseObject(byte[] json, out JsonDocument? document)
    {
        document = null;
        try
        {
            document = JsonDocument.Parse(json, Strict);
        }
        catch (JsonException)
        {
            return false;
        }

        return document.RootElement.ValueKind == JsonValueKind.Object;
    }
}

internal static class JwtElements
{
    public static string? TextOrNull(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static long? SecondsOrNull(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) ? seconds : null;
}
