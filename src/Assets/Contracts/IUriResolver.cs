using Zaffre.Kernel;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Assets;

/// <summary>What lies at a location at the moment of asking.</summary>
public enum UriShape
{
    /// <summary>Nothing is there yet, or it lies outside this server.</summary>
    Unknown,
    File,
    Folder,
}

/// <summary>Where the bytes of a URI are. Exactly one of <see cref="Blob"/> and <see cref="Download"/> is set.</summary>
public sealed record ResolvedUri
{
    /// <summary>The URI as it was asked for.</summary>
    public required string Uri { get; init; }

    /// <summary>The place in a storage account of this server.</summary>
    public BlobLocation? Blob { get; init; }

    /// <summary>A foreign http(s) file that must be downloaded; nothing was fetched yet.</summary>
    public Uri? Download { get; init; }

    /// <summary>What lies there now.</summary>
    public UriShape Shape { get; init; }

    /// <summary>The short datastore form (<c>azureml://datastores/{ds}/paths/{p}</c>) when a datastore of the workspace holds it.</summary>
    public string? DatastoreUri { get; init; }

    /// <summary>The long datastore form (with subscription, group and workspace), when a datastore of the workspace holds it.</summary>
    public string? LongDatastoreUri { get; init; }

    /// <summary>The version through which it was resolved, when the URI named an asset.</summary>
    public AssetVersion? Asset { get; init; }
}

/// <summary>
/// Turns every URI form that jobs, assets and deployments may carry into the place of the bytes:
/// <c>azureml://datastores/..</c> (with and without <c>/paths/</c>), the long form, blob URLs and <c>wasbs://</c> of our accounts,
/// other http(s) URLs, <c>azureml:n:v</c>, <c>n@latest</c>, resource ids, and what <see cref="IUriScheme"/>s bring.
/// Paths with <c>..</c>, encoded or not, are refused. Thread safe.
/// </summary>
public interface IUriResolver
{
    Task<Outcome<ResolvedUri>> ResolveAsync(WorkspaceRef workspace, string uri, CancellationToken ct);
}

/// <summary>
/// A URI scheme of a higher module: Jobs brings <c>azureml://jobs/{job}/outputs/{out}/paths/{p}</c>, Tracking <c>runs:/{run}/{p}</c>.
/// Register as a singleton <see cref="IUriScheme"/>.
/// </summary>
public interface IUriScheme
{
    /// <summary>The prefix that marks the scheme (<c>azureml://jobs/</c>, <c>runs:/</c>); compared without case.</summary>
    string Prefix { get; }

    /// <summary>Another URI with the same meaning that the resolver knows (usually the short datastore form), or the problem.</summary>
    Task<Outcome<string>> TranslateAsync(WorkspaceRef workspace, string uri, CancellationToken ct);
}

/// <summary>
/// Resolves asset ids that run history hands out and that are no registered asset, such as unregistered outputs of a run
/// (<c>azureml://locations/{loc}/workspaces/{guid}/data/{n}/versions/{v}</c>). Asked only after the registered assets.
/// Register as a singleton.
/// </summary>
public interface IRunOutputAssets
{
    /// <summary>The datastore URI and wire type (<c>UriFolder</c>, <c>UriFile</c>, <c>MLTable</c>) behind the id, or null.</summary>
    Task<(string Uri, string Type)?> FindAsync(WorkspaceRef workspace, string assetId, CancellationToken ct);
}
