using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Gateway;

/// <summary>
/// The tokens of endpoints with <c>aml_token</c>: ES256, signed by the server with a key used for nothing else,
/// for one endpoint and its epoch. Thread safe.
/// </summary>
public static class EndpointToken
{
    /// <summary>Signs a token for <paramref name="endpoint"/> (name and epoch) that ends at <paramref name="expires"/>.</summary>
    public static string Issue(ECDsa key, string keyId, (string Name, string Epoch) endpoint, DateTimeOffset expires)
    {
        var head = new JsonObject { ["alg"] = "ES256", ["typ"] = "JWT", ["kid"] = keyId };
        var body = new JsonObject { ["aud"] = endpoint.Name, ["epoch"] = endpoint.Epoch, ["exp"] = expires.ToUnixTimeSeconds() };
        var signed = $"{Encode(head)}.{Encode(body)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>When the token ends, if it is a valid one for this endpoint; else null. Expired ones are null too.</summary>
    public static DateTimeOffset? Verify(string token, IReadOnlyDictionary<string, ECDsa> keys, (string Name, string Epoch) endpoint, DateTimeOffset now)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || token.Length > 4096)
        {
            return null;
        }

        try
        {
            if (Decode(parts[0]) is not { } head || Text(head, "alg") != "ES256" || Text(head, "kid") is not { } kid || !keys.TryGetValue(kid, out var key)
                || !key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256)
                || Decode(parts[1]) is not { } body)
            {
                return null;
            }

            var expires = DateTimeOffset.FromUnixTimeSeconds(body["exp"] is JsonValue value && value.TryGetValue<long>(out var seconds) ? seconds : 0);
            return expires > now && Text(body, "aud") == endpoint.Name && Text(body, "epoch") == endpoint.Epoch ? expires : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or ArgumentException)
        {
            return null;
        }
    }

    private static string? Text(JsonObject o, string name) => o[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private static JsonObject? Decode(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part)) as JsonObject;
}
