using Zaffre.Workspaces;

namespace Zaffre.Assets;

/// <summary>The spelling under which a blob place outside every datastore is kept: it names no host of ours.</summary>
internal static class BlobUri
{
    public static string Of(BlobLocation location) =>
        $"wasbs://{location.Container}@{location.Account}.blob.core.windows.net/{string.Join('/', location.Path.Split('/').Select(Uri.EscapeDataString))}";
}
