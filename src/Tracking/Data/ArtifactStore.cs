using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Tracking.Data;

/// <summary>A file or folder among a run's artifacts; <paramref name="Path"/> is relative to the run's root.</summary>
internal sealed record ArtifactEntry(string Path, bool IsFolder, long Size);

/// <summary>The artifacts of runs: blobs below the run's prefix in the workspace's artifact store.</summary>
internal sealed class ArtifactStore(IDatastores datastores, IBlobStore blobs)
{
    private const int Page = 1000;

    /// <summary>The folder of that prefix in the artifact store.</summary>
    public async Task<BlobAddress> RootAsync(WorkspaceRef workspace, string prefix, CancellationToken ct)
    {
        var place = (await datastores.ResolveAsync(workspace, RunArtifacts.Datastore, ct)).Value.Child(prefix);
        return new BlobAddress(place.Account, place.Container, place.Path);
    }

    /// <summary>What lies directly in a folder below <paramref name="root"/>, folders and files together in the order of their names.</summary>
    public async Task<IReadOnlyList<ArtifactEntry>> ListAsync(BlobAddress root, string folder, CancellationToken ct)
    {
        var prefix = folder.Length == 0 ? root.At(root.Name + "/") : root.At($"{root.Name}/{folder}/");
        var found = new SortedDictionary<string, ArtifactEntry>(StringComparer.Ordinal);
        string? continuation = null;
        do
        {
            var page = await blobs.ListAsync(prefix, Page, continuation, ct);
            foreach (var blob in page.Items)
            {
                Collect(found, folder, blob.Name[prefix.Name.Length..], blob.Size);
            }

            continuation = page.Next;
        }
        while (continuation is not null);
        return [.. found.Values];
    }

    /// <summary>Every file below a folder, with its path from the run's root, at most <paramref name="most"/>.</summary>
    public async Task<IReadOnlyList<(string Path, BlobAddress Blob)>> FilesAsync(WorkspaceRef workspace, string runId, string folder, int most, CancellationToken ct)
    {
        var root = (await RootAsync(workspace, RunArtifacts.Prefix(runId), ct)).Child(folder);
        var page = await blobs.ListAsync(root.At(root.Name + "/"), most, null, ct);
        return [.. page.Items.Select(blob => ($"{folder}/{blob.Name[(root.Name.Length + 1)..]}", root.At(blob.Name)))];
    }

    public async Task<(BlobInfo Info, Stream Content)?> OpenAsync(BlobAddress blob, CancellationToken ct)
    {
        if (await blobs.FindAsync(blob, ct) is not { } info || await blobs.OpenReadAsync(blob, ct) is not { } content)
        {
            return null;
        }

        return (info, content);
    }

    public Task<BlobInfo?> FindAsync(BlobAddress blob, CancellationToken ct) => blobs.FindAsync(blob, ct);

    public async Task<BlobInfo> PutAsync(BlobAddress blob, Stream content, string contentType, CancellationToken ct) =>
        (await blobs.PutAsync(blob, content, new BlobWrite { ContentType = contentType }, ct)).Value;

    public async Task DeleteAsync(BlobAddress blob, CancellationToken ct)
    {
        await blobs.DeleteAsync(blob, ct);
        await blobs.DeleteFolderAsync(blob, ct);
    }

    private static void Collect(SortedDictionary<string, ArtifactEntry> found, string folder, string relative, long size)
    {
        var slash = relative.IndexOf('/', StringComparison.Ordinal);
        var name = slash < 0 ? relative : relative[..slash];
        var path = folder.Length == 0 ? name : $"{folder}/{name}";
        found.TryAdd(slash < 0 ? name : name + "/", new ArtifactEntry(path, slash >= 0, slash < 0 ? size : 0));
    }
}
