using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>The version that a client that gives none would get.</summary>
internal sealed class AssetVersions(IResources resources)
{
    public async Task<string> NextAsync(WorkspaceRef workspace, AssetType type, string name, CancellationToken ct) =>
        AssetContainers.NextOf(await resources.FindAsync(workspace.Child(AssetTypes.Segment(type), AssetNames.Strip(name)), ct));
}
