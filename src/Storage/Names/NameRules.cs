namespace Zaffre.Storage.Names;

/// <summary>Which account, container and blob names are legal.</summary>
internal static class NameRules
{
    public const int MaxBlobName = 1024;
    public const int MaxSegments = 254;

    public static bool IsAccount(string name) => name.Length is >= 3 and <= 24 && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9'));

    /// <summary>3 to 63 lower-case letters, digits and single hyphens between them; or one of the two system containers.</summary>
    public static bool IsContainer(string name) =>
        name is "$root" or "$web"
        || (name.Length is >= 3 and <= 63
            && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')
            && name[0] != '-' && name[^1] != '-' && !name.Contains("--", StringComparison.Ordinal));

    /// <summary>1 to 1,024 characters in at most 254 segments, no NUL, no half of a surrogate pair.</summary>
    public static bool IsBlob(string name) =>
        name.Length is >= 1 and <= MaxBlobName
        && !name.Contains('\0', StringComparison.Ordinal)
        && name.AsSpan().Count('/') < MaxSegments
        && IsWellFormed(name);

    /// <summary>Whether a segment is dot or dot-dot: refused on the wire, where proxies and clients resolve them differently.</summary>
    public static bool HasDotSegment(string name) => name.Split('/').Any(s => s is "." or "..");

    private static bool IsWellFormed(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsSurrogate(name[i]))
            {
                continue;
            }

            if (i + 1 == name.Length || !char.IsSurrogatePair(name[i], name[i + 1]))
            {
                return false;
            }

            i++;
        }

        return true;
    }
}
