using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Gateway.Routing;

namespace Zaffre.Gateway;

/// <summary>
/// The tokens of endpoints with <c>aml_token</c>: ES256, signed by the server with a key used for nothing else,
/// for one endpoint and its epoch. Thread safe.
/// </summary>
public static class EndpointToken
{
    private const int MaxLength = 4096;

    /// <summary>Signs a token for <paramref name="endpoint"/> (name and epoch) that ends at <paramref name="expires"/>.</summary>
    public static string Issue(ECDsa key, string keyId, (string Name, string Epoch) endpoint, DateTimeOffset expires)
    {
        var head = new JsonObject { ["alg"] = "ES256", ["typ"] = "JWT", ["kid"] = keyId };
        var body = new JsonObject { ["aud"] = endpoint.Name, ["epoch"] = endpoint.Epoch, ["exp"] = expires.ToUnixTimeSeconds() };
        var signed = $"{CompactToken.Encode(head)}.{CompactToken.Encode(body)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>When the token ends, if it is a valid one for this endpoint; else null. Expired ones are null too.</summary>
    public static DateTimeOffset? Verify(string token, IReadOnlyDictionary<string, ECDsa> keys, (string Name, string Epoch) endpoint, DateTimeOffset now)
    {
        if (token.Length > MaxLength
            || CompactToken.Read(token, "ES256", (kid, signed, signature) => keys.TryGetValue(kid, out var key) && key.VerifyData(signed, signature, HashAlgorithmName.SHA256)) is not { } body)
        {
            return null;
        }

        return CompactToken.Time(body, "exp") is { } expires && expires > now && CompactToken.Text(body, "aud") == endpoint.Name && CompactToken.Text(body, "epoch") == endpoint.Epoch
            ? expires
            : null;
    }
}
