using System.Text.RegularExpressions;
using Zaffre.Web;

namespace Zaffre.Identity.Tokens;

/// <summary>
/// Which resources a token may be asked for, and which of them each surface accepts. Clients write the same resource with
/// and without a trailing slash, and with two (<c>https://management.azure.com//.default</c>).
/// </summary>
internal static partial class Audiences
{
    /// <summary>Machine learning's own names; the management surface takes them too.</summary>
    public static IReadOnlySet<string> MachineLearning { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "https://ml.azure.com",

        // What azure-ai-ml derives from the metadata document of a cloud whose portal is ours.
        "https://ml.azure.",
        "https://ml.azure.localhost",
    };

    private static readonly HashSet<string> Management = ["https://management.azure.com", "https://management.core.windows.net", .. MachineLearning];

    /// <summary>The surface of a resource, or null when nothing here has that name.</summary>
    public static Surface? SurfaceOf(string resource)
    {
        var name = resource.TrimEnd('/').ToLowerInvariant();
        if (Management.Contains(name) || OwnUrl().IsMatch(name))
        {
            return Surface.Management;
        }

        return name == "https://storage.azure.com" || StorageAccount().IsMatch(name) ? Surface.Storage : null;
    }

    [GeneratedRegex(@"^https://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex OwnUrl();

    [GeneratedRegex(@"^https://[a-z0-9]{3,24}\.(blob|dfs)\.core\.(windows\.net|localhost(:\d{1,5})?)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StorageAccount();
}
