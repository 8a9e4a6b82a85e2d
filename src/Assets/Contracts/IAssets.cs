using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>The versioned assets of a workspace.</summary>
public enum AssetType
{
    Data,
    Model,
    Environment,
    Code,
    Component,
}

/// <summary>One version of an asset: its id, name, version, and the resource as stored (<c>Resource.Properties</c> is what was sent).</summary>
public sealed record AssetVersion(AssetType Type, string Name, string Version, Resource Resource)
{
    public ArmId Id => Resource.Id;

    public JsonObject Properties => Resource.Properties;
}

/// <summary>A version to create from inside the server. <paramref name="Version"/> null takes the next one;
/// <paramref name="Properties"/> is the wire's <c>properties</c> (<c>dataType</c> and <c>dataUri</c>, <c>modelType</c> and <c>modelUri</c>).</summary>
public sealed record NewAsset(AssetType Type, string Name, string? Version, JsonObject Properties);

/// <summary>The assets of workspaces. Thread safe.</summary>
public interface IAssets
{
    /// <summary>The version, or null. <paramref name="version"/> is a version, <c>latest</c>, or (components) <c>azureml_default</c>.
    /// A leading <c>azureml:</c> of the name is ignored.</summary>
    Task<AssetVersion?> FindVersionAsync(WorkspaceRef workspace, AssetType type, string name, string version, CancellationToken ct);

    /// <summary>
    /// Resolves a reference of any form the wire uses: <c>azureml:n:v</c>, <c>n:v</c>, <c>azureml:n@latest</c>, <c>n@latest</c>,
    /// a resource id with or without leading <c>azureml:</c>, and <c>azureml://locations/{l}/workspaces/{guid}/{type}/{n}/versions/{v}</c>.
    /// Problems: malformed (Invalid), unknown (NotFound), another workspace's (Invalid), a registry's (Unsupported).
    /// </summary>
    Task<Outcome<AssetVersion>> ResolveAsync(WorkspaceRef workspace, AssetType type, string reference, CancellationToken ct);

    /// <summary>
    /// The stored version that a PUT of <paramref name="properties"/> would meet, null when there is none; a Conflict when that PUT would be refused
    /// because the content differs. Changes nothing.
    /// </summary>
    Task<Outcome<AssetVersion?>> FindSameAsync(WorkspaceRef workspace, ArmId versionId, JsonObject properties, CancellationToken ct);

    /// <summary>
    /// Creates a version (and its container) inside <paramref name="scope"/>; registering equal content again answers the existing one,
    /// other content on an existing version throws a Conflict. Returns its id.
    /// </summary>
    ArmId Register(WriteScope scope, WorkspaceRef workspace, NewAsset asset, Caller actor);

    /// <summary>The version that a client that names none would get: one more than the greatest number so far.</summary>
    Task<string> NextVersionAsync(WorkspaceRef workspace, AssetType type, string name, CancellationToken ct);

    /// <summary>The form of an asset's id that run history speaks: <c>azureml://locations/{loc}/workspaces/{guid}/{type}/{n}/versions/{v}</c>.</summary>
    Task<string> ToAssetIdAsync(ArmId versionId, CancellationToken ct);
}
