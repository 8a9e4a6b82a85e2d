using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>Version arithmetic over the stored versions of an asset.</summary>
internal sealed class AssetVersions(IResources resources)
{
    /// <summary>The version that a client that gives none would get.</summary>
    public async Task<string> NextAsync(WorkspaceRef workspace, AssetType type, string name, CancellationToken ct)
    {
        var container = workspace.Child(AssetTypes.Segment(type), AssetNames.Strip(name));
        return await resources.FindAsync(container, ct) is { } found && found.Properties["nextVersion"] is { } next ? next.ToString() : "1";
    }
}
