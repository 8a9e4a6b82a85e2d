using Microsoft.Extensions.DependencyInjection;
using Zaffre.Assets.Uploads;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Assets;

/// <summary>Resolves URIs to places; the schemes of higher modules are asked for lazily, since they may resolve URIs themselves.</summary>
internal sealed class UriResolver(IAssets assets, IDatastores datastores, IStorageAccounts accounts, IBlobStore blobs, UploadContainers uploads, IServiceProvider services) : IUriResolver
{
    private const int MostSteps = 8;

    public Task<Outcome<ResolvedUri>> ResolveAsync(WorkspaceRef workspace, string uri, CancellationToken ct) => ResolveAsync(workspace, uri, uri, 0, ct);

    private async Task<Outcome<ResolvedUri>> ResolveAsync(WorkspaceRef workspace, string uri, string asked, int step, CancellationToken ct)
    {
        if (step == MostSteps)
        {
            return ArmErrors.Invalid($"'{UriPath.Shown(asked)}' leads back to itself.");
        }

        if (services.GetServices<IUriScheme>().FirstOrDefault(s => uri.StartsWith(s.Prefix, StringComparison.OrdinalIgnoreCase)) is { } scheme)
        {
            return UriPath.Check(uri[scheme.Prefix.Length..], uri).Problem is { } climbs
                ? climbs
                : (await scheme.TranslateAsync(workspace, uri, ct)).TryGet(out var next, out var refused) ? await ResolveAsync(workspace, next, asked, step + 1, ct) : refused;
        }

        if (!ParsedUri.Parse(uri).TryGet(out var parsed, out var problem))
        {
            return problem;
        }

        return parsed switch
        {
            ParsedUri.InDatastore place => await InDatastoreAsync(workspace, place, asked, ct),
            ParsedUri.InAccount place => await InAccountAsync(workspace, place, asked, ct),
            ParsedUri.OfAsset asset => await OfAssetAsync(workspace, asset.Reference, asked, step, ct),
            ParsedUri.Foreign foreign => new ResolvedUri { Uri = asked, Download = foreign.Url },
            _ => throw new InvalidOperationException("A new form of URI has no case here."),
        };
    }

    private async Task<Outcome<ResolvedUri>> InDatastoreAsync(WorkspaceRef workspace, ParsedUri.InDatastore place, string asked, CancellationToken ct)
    {
        if (place.Workspace is { } other && other.Id != workspace.Id)
        {
            return ArmErrors.Invalid($"'{UriPath.Shown(asked)}' belongs to another workspace.");
        }

        return (await datastores.ResolveAsync(workspace, place.Datastore, ct)).TryGet(out var root, out var problem)
            ? await FoundAsync(workspace, asked, place.Path.Length == 0 ? root : root.Child(place.Path), place.Datastore, ct)
            : problem;
    }

    private async Task<Outcome<ResolvedUri>> InAccountAsync(WorkspaceRef workspace, ParsedUri.InAccount place, string asked, CancellationToken ct)
    {
        if (await accounts.FindAsync(place.Account, ct) is null)
        {
            return asked.StartsWith("http", StringComparison.OrdinalIgnoreCase)
                ? new ResolvedUri { Uri = asked, Download = new Uri(asked) }
                : ArmErrors.Invalid($"The storage account '{place.Account}' of '{UriPath.Shown(asked)}' is none of this server's.");
        }

        var location = new BlobLocation(place.Account, place.Container, place.Path);
        if (await datastores.LocateAsync(workspace, location, ct) is { } within)
        {
            return await FoundAsync(workspace, asked, location, within.Datastore, ct);
        }

        return await uploads.HoldAsync(workspace, location, ct)
            ? new ResolvedUri { Uri = asked, Blob = location, Shape = await ShapeAsync(location, ct) }
            : ArmErrors.Invalid($"'{UriPath.Shown(asked)}' lies in no datastore of workspace '{workspace.Name}'; register a datastore for its container first.");
    }

    private async Task<Outcome<ResolvedUri>> OfAssetAsync(WorkspaceRef workspace, string reference, string asked, int step, CancellationToken ct)
    {
        if (!(await FindAssetAsync(workspace, reference, ct)).TryGet(out var asset, out var problem))
        {
            foreach (var outputs in services.GetServices<IRunOutputAssets>())
            {
                if (await outputs.FindAsync(workspace, reference, ct) is { } output)
                {
                    return await ResolveAsync(workspace, output.Uri, asked, step + 1, ct);
                }
            }

            return problem;
        }

        if (AssetContent.UriMember(asset.Type) is not { } member)
        {
            return ArmErrors.Invalid($"'{UriPath.Shown(asked)}' is of type {AssetTypes.Word(asset.Type)}, which has no data.");
        }

        var uri = asset.Resource.Document.Text(AssetVersionResource.Resolved) ?? asset.Properties.Text(member) ?? "";
        return (await ResolveAsync(workspace, uri, asked, step + 1, ct)).TryGet(out var found, out var lost) ? found with { Asset = asset } : lost;
    }

    private async Task<Outcome<AssetVersion>> FindAssetAsync(WorkspaceRef workspace, string reference, CancellationToken ct)
    {
        if (AssetNames.Split(reference) is not null)
        {
            var data = await assets.ResolveAsync(workspace, AssetType.Data, reference, ct);
            return data.Succeeded || (await assets.ResolveAsync(workspace, AssetType.Model, reference, ct)) is not { Succeeded: true } model ? data : model;
        }

        var parts = reference.Split('/');
        return parts.Length >= 4 && AssetTypes.Parse(parts[^4]) is { } type
            ? await assets.ResolveAsync(workspace, type, reference, ct)
            : ArmErrors.Invalid($"'{UriPath.Shown(reference)}' is not the id of an asset version.");
    }

    private async Task<Outcome<ResolvedUri>> FoundAsync(WorkspaceRef workspace, string asked, BlobLocation location, string datastore, CancellationToken ct)
    {
        var brief = DatastoreUri.Short(datastore, location.Path);
        return new ResolvedUri
        {
            Uri = asked,
            Blob = location,
            Shape = await ShapeAsync(location, ct),
            DatastoreUri = brief,
            LongDatastoreUri = DatastoreUri.Long(workspace, brief),
        };
    }

    private async Task<UriShape> ShapeAsync(BlobLocation location, CancellationToken ct)
    {
        var address = new BlobAddress(location.Account, location.Container, location.Path);
        if (location.Path.Length == 0)
        {
            return UriShape.Folder;
        }

        if (await blobs.FindAsync(address, ct) is not null)
        {
            return UriShape.File;
        }

        return blobs.TryGetLocalPath(address) is not null || (await blobs.ListAsync(address.At(location.Path + "/"), 1, null, ct)).Items.Count > 0
            ? UriShape.Folder
            : UriShape.Unknown;
    }
}
