using System.Text.RegularExpressions;

namespace Zaffre.Jobs.Submission;

/// <summary>Which names are legal.</summary>
internal static partial class Names
{
    /// <summary>What the wire asks of a job's name.</summary>
    public const string JobRule = "a job's name has 1 to 255 characters, letters, digits, - and _, and begins with a letter or digit";

    public static bool IsJob(string name) => Job().IsMatch(name);

    /// <summary>A name of an input or output.</summary>
    public static bool IsMember(string name) => Member().IsMatch(name);

    /// <summary>A name of a pipeline's step; with its pipeline's name it makes the name of a job.</summary>
    public static bool IsNode(string name) => Node().IsMatch(name);

    /// <summary>A name of an asset.</summary>
    public static bool IsAsset(string name) => Asset().IsMatch(name);

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}\z", RegexOptions.None, 1000)]
    private static partial Regex Job();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_\-]{0,127}\z", RegexOptions.None, 1000)]
    private static partial Regex Node();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.\-]{0,254}\z", RegexOptions.None, 1000)]
    private static partial Regex Member();

    [GeneratedRegex(@"^[a-zA-Z0-9][a-zA-Z0-9\-_.]{0,254}\z", RegexOptions.None, 1000)]
    private static partial Regex Asset();
}
