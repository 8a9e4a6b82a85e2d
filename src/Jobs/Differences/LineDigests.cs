using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Jobs.Differences;

/// <summary>Lines by digest, so that texts can be compared that lie with somebody else: 16 lower-case hex digits of the SHA-256 of each line.</summary>
internal static class LineDigests
{
    private const int Digits = 16;

    public static string[] Of(string text) => [.. TextDifference.Split(text).Select(line => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line)))[..Digits])];
}
