using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Identity.Principals;

/// <summary>
/// Secrets of service principals: 256 random bits, so one salted SHA-256 is all the stretching they need. Only the hash is stored.
/// </summary>
internal static class ClientSecret
{
    /// <summary>A new secret. It does not begin with '-': command lines (<c>az login -p</c>) would take it for an option.</summary>
    public static string Create()
    {
        string secret;
        do
        {
            secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        }
        while (secret[0] == '-');
        return secret;
    }

    public static (string Salt, string Hash) Hash(string secret)
    {
        var salt = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        return (salt, Digest(salt, secret));
    }

    public static bool Matches(string secret, string salt, string hash) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Digest(salt, secret)), Encoding.ASCII.GetBytes(hash));

    private static string Digest(string salt, string secret) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.ASCII.GetBytes(salt), Encoding.UTF8.GetBytes(secret)));
}
