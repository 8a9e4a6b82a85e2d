using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Zaffre.Gateway.Routing;

/// <summary>Checks access tokens of the server's authority without asking it. Thread safe; its keys go with it, as requests may still use it when the next table is there.</summary>
internal sealed class AccessTokens
{
    /// <summary>How far the clocks of two machines may differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);
    private const int MaxLength = 16 * 1024;
    private readonly string issuer;
    private readonly FrozenSet<string> audiences;
    private readonly FrozenDictionary<string, RSA> keys;

    public AccessTokens(TokenAuthority authority)
    {
        issuer = authority.Issuer;
        audiences = authority.Audiences.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        keys = authority.Keys.ToFrozenDictionary(key => key.Key, key => Import(key.Value), StringComparer.Ordinal);
    }

    /// <summary>The principal's object id and when the token ends; null for a token that is not valid here. Those of jobs are not: only the server knows whether their job lives.</summary>
    public (string ObjectId, DateTimeOffset Expires)? Verify(string token, DateTimeOffset now)
    {
        if (token.Length > MaxLength || CompactToken.Read(token, "RS256", Verifies) is not { } claims)
        {
            return null;
        }

        return CompactToken.Text(claims, "iss") == issuer
            && CompactToken.Text(claims, "aud") is { } audience && audiences.Contains(audience.TrimEnd('/'))
            && CompactToken.Time(claims, "nbf") is { } from && from <= now + Skew
            && CompactToken.Time(claims, "exp") is { } expires && expires + Skew > now
            && !claims.ContainsKey("zaffre_job")
            && CompactToken.Text(claims, "oid") is { } objectId
            ? (objectId, expires + Skew)
            : null;
    }

    private static RSA Import(string subjectPublicKeyInfo)
    {
        var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(subjectPublicKeyInfo), out _);
        return key;
    }

    // RSA objects are not thread safe; a token is verified once and then remembered.
    private bool Verifies(string keyId, byte[] signed, byte[] signature)
    {
        if (!keys.TryGetValue(keyId, out var key))
        {
            return false;
        }

        lock (key)
        {
            return key.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }
}
