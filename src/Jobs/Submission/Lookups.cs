using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// What one submission looks up, once each: the steps of a pipeline name the same environments, codes and computes over and over. Not thread safe;
/// lives as long as the submission.
/// </summary>
internal sealed class Lookups(LookupSources sources)
{
    private readonly Dictionary<string, Outcome<ComputeTarget>> computes = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<(AssetType, string), Outcome<AssetVersion>> versions = [];
    private readonly Dictionary<string, Outcome<ResolvedUri>> places = new(StringComparer.Ordinal);
    private string? datastore;
    private Workspace? workspace;
    private BlobLocation? artifacts;

    public async Task<Outcome<ComputeTarget>> ComputeAsync(WorkspaceRef reference, string? compute, CancellationToken ct)
    {
        var key = compute ?? "";
        return computes.TryGetValue(key, out var known) ? known : computes[key] = await sources.Computes.FindAsync(reference, compute, ct);
    }

    public async Task<Outcome<AssetVersion>> AssetAsync(WorkspaceRef reference, AssetType type, string asset, CancellationToken ct) =>
        versions.TryGetValue((type, asset), out var known) ? known : versions[(type, asset)] = await sources.Assets.ResolveAsync(reference, type, asset, ct);

    /// <summary>A place that does not change while the submission lasts, such as that of code.</summary>
    public async Task<Outcome<ResolvedUri>> UriAsync(WorkspaceRef reference, string uri, CancellationToken ct) =>
        places.TryGetValue(uri, out var known) ? known : places[uri] = await sources.Uris.ResolveAsync(reference, uri, ct);

    /// <summary>The name of the workspace's default datastore.</summary>
    public async Task<string> DefaultDatastoreAsync(WorkspaceRef reference, CancellationToken ct)
    {
        if (datastore is null)
        {
            var query = new ResourceQuery { Parent = reference.Id, Type = "datastores", Top = 1, Where = found => found.Properties.Flag("isDefault") == true };
            datastore = (await sources.Resources.ListAsync(query, ct)).Items is [var one, ..] ? one.Id.Name : BuiltInDatastores.Blob;
        }

        return datastore;
    }

    public async Task<Workspace> WorkspaceAsync(Func<Task<Workspace>> find) => workspace ??= await find();

    public async Task<BlobLocation> ArtifactsAsync(Func<Task<BlobLocation>> find) => artifacts ??= await find();
}

/// <summary>Where lookups are answered.</summary>
internal sealed record LookupSources(IComputes Computes, IAssets Assets, IUriResolver Uris, IResources Resources);
