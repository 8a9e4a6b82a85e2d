using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Jobs.Submission;

/// <summary>What a submission will have stored by the time it is sent: looked at before what is stored.</summary>
internal interface IPendingAssets
{
    /// <summary>The version that a reference will name, or null when it is not of this submission.</summary>
    AssetVersion? Find(AssetType type, string reference);

    /// <summary>The place of what will be uploaded, or null when the URI names none of it.</summary>
    ResolvedUri? Place(string uri);
}

/// <summary>
/// What one submission looks up, once each: the steps of a pipeline name the same environments, codes and computes over and over. Not thread safe;
/// lives as long as the submission. References that may mean another version tomorrow are looked up by <paramref name="pinned"/> first, and
/// what they mean now is kept in <see cref="Pins"/>.
/// </summary>
internal sealed class Lookups(LookupSources sources, IReadOnlyDictionary<string, string>? pinned = null, IPendingAssets? pending = null)
{
    private readonly Dictionary<string, string> pins = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Outcome<ComputeTarget>> computes = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<(AssetType, string), Outcome<AssetVersion>> versions = [];
    private readonly Dictionary<string, Outcome<ResolvedUri>> places = new(StringComparer.Ordinal);
    private readonly List<AssetVersion> read = [];
    private string? datastore;
    private Workspace? workspace;
    private BlobLocation? artifacts;

    public async Task<Outcome<ComputeTarget>> ComputeAsync(WorkspaceRef reference, string? compute, CancellationToken ct)
    {
        var key = compute ?? "";
        return computes.TryGetValue(key, out var known) ? known : computes[key] = await sources.Computes.FindAsync(reference, compute, ct);
    }

    /// <summary>Every reference of this submission that names no version, as <c>type reference</c>, and the id of the version that it was taken for.</summary>
    public IReadOnlyDictionary<string, string>? Pins => pins.Count == 0 ? null : pins;

    /// <summary>Every version that was found, of any type; some more than once.</summary>
    public IEnumerable<AssetVersion> Used => versions.Values.Select(found => found.TryGet(out var version, out _) ? version : null).OfType<AssetVersion>().Concat(read);

    /// <summary>Every compute that was found.</summary>
    public IEnumerable<ComputeTarget> UsedComputes => computes.Values.Select(found => found.TryGet(out var target, out _) ? target : null).OfType<ComputeTarget>();

    public async Task<Outcome<AssetVersion>> AssetAsync(WorkspaceRef reference, AssetType type, string asset, CancellationToken ct)
    {
        if (versions.TryGetValue((type, asset), out var known))
        {
            return known;
        }

        if (pending?.Find(type, asset) is { } coming)
        {
            return versions[(type, asset)] = coming;
        }

        var found = await sources.Assets.ResolveAsync(reference, type, Pinned(type, asset), ct);
        if (found.TryGet(out var version, out _))
        {
            Pin(asset, version);
        }

        return versions[(type, asset)] = found;
    }

    /// <summary>A place that does not change while the submission lasts, such as that of code.</summary>
    public async Task<Outcome<ResolvedUri>> UriAsync(WorkspaceRef reference, string uri, CancellationToken ct) =>
        places.TryGetValue(uri, out var known) ? known : places[uri] = pending?.Place(uri) is { } coming ? coming : await sources.Uris.ResolveAsync(reference, uri, ct);

    /// <summary>Where data lies now.</summary>
    public async Task<Outcome<ResolvedUri>> DataAsync(WorkspaceRef reference, string uri, CancellationToken ct)
    {
        if (pending?.Place(uri) is { } coming)
        {
            return coming;
        }

        var wanted = uri;
        foreach (var type in (ReadOnlySpan<AssetType>)[AssetType.Data, AssetType.Model])
        {
            wanted = wanted == uri ? Pinned(type, uri) : wanted;
        }

        var found = await sources.Uris.ResolveAsync(reference, wanted, ct);
        if (found.TryGet(out var place, out _) && place.Asset is { } version)
        {
            Pin(uri, version);
            read.Add(version);
        }

        return found;
    }

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

    private string Pinned(AssetType type, string reference) => pinned is not null && pinned.TryGetValue(Key(type, reference), out var id) ? id : reference;

    private void Pin(string reference, AssetVersion version)
    {
        if (!reference.EndsWith(":" + version.Version, StringComparison.Ordinal) && !reference.EndsWith("/versions/" + version.Version, StringComparison.Ordinal))
        {
            pins[Key(version.Type, reference)] = version.Id.Value;
        }
    }

    private static string Key(AssetType type, string reference) => $"{type} {reference}";
}

/// <summary>Where lookups are answered.</summary>
internal sealed record LookupSources(IComputes Computes, IAssets Assets, IUriResolver Uris, IResources Resources);
