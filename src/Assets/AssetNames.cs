using System.Text.RegularExpressions;

namespace Zaffre.Assets;

/// <summary>Names and references of assets as clients write them.</summary>
internal static partial class AssetNames
{
    /// <summary>Labels that stand for a version and can be none.</summary>
    public static bool IsLabel(string version) =>
        version.Equals("latest", StringComparison.OrdinalIgnoreCase) || version.Equals("azureml_default", StringComparison.OrdinalIgnoreCase);

    /// <summary>Without the <c>azureml:</c> that clients leave in front of a name.</summary>
    public static string Strip(string name) => name.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) ? name["azureml:".Length..] : name;

    /// <summary>Splits <c>n:v</c> and <c>n@label</c>; null when it is neither.</summary>
    public static (string Name, string Version)? Split(string reference)
    {
        var match = Reference().Match(Strip(reference));
        return match.Success ? (match.Groups["name"].Value, match.Groups["version"].Value) : null;
    }

    [GeneratedRegex(@"^(?<name>[A-Za-z0-9_][A-Za-z0-9_.\-]{0,254})[:@](?<version>[A-Za-z0-9_][A-Za-z0-9_.\-]{0,254})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Reference();
}
