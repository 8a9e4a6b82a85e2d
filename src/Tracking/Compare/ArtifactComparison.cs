using System.Text.Json.Nodes;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Web;

namespace Zaffre.Tracking.Compare;

/// <summary>The files of runs side by side: by path, size and, where sizes are equal, content.</summary>
internal sealed class ArtifactComparison(ArtifactStore artifacts, IBlobStore blobs, IContentDigests digests)
{
    private const int MostFiles = 1000;
    private const long MostBytes = 256 * 1024 * 1024;

    /// <summary>The rows, and whether there are more files than were looked at.</summary>
    public async Task<(IReadOnlyList<CompareRow> Rows, bool More)> OfAsync(ComparedRuns runs, CancellationToken ct)
    {
        var more = false;
        var all = new List<Dictionary<string, (BlobAddress Blob, long Size)>>();
        foreach (var run in runs.Runs)
        {
            var root = await artifacts.RootAsync(runs.Workspace, RunArtifacts.Prefix(run.Row.Id), ct);
            var page = await blobs.ListAsync(root.At(root.Name + "/"), MostFiles, null, ct);
            more |= page.Next is not null;
            all.Add(page.Items.ToDictionary(blob => blob.Name[(root.Name.Length + 1)..], blob => (root.At(blob.Name), blob.Size), StringComparer.Ordinal));
        }

        var rows = new List<CompareRow>();
        var left = MostBytes;
        foreach (var path in all.SelectMany(files => files.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var files = all.ConvertAll(one => one.TryGetValue(path, out var file) ? file : ((BlobAddress Blob, long Size)?)null);
            var hashes = new string?[files.Count];
            if (files.All(file => file is not null && file.Value.Size == files[0]!.Value.Size))
            {
                left = await DigestAsync(files, hashes, left, ct);
            }

            rows.Add(new CompareRow(path, [.. files.Select((file, i) => Json(file, hashes[i]))], State(files, hashes)));
        }

        return (rows, more);
    }

    /// <summary>The SHA-256 of a run's artifact; null when there is none, or it is too large to be read for that.</summary>
    public async Task<string?> DigestAsync(WorkspaceRef workspace, string run, string path, CancellationToken ct) =>
        await digests.PeekAsync((await artifacts.RootAsync(workspace, RunArtifacts.Prefix(run), ct)).Child(path), MostBytes, ct) is { Files: [var file, ..] } ? file.Sha256 : null;

    /// <summary>Digests files of equal size as far as bytes may be read; returns how many may be read after that.</summary>
    private async Task<long> DigestAsync(List<(BlobAddress Blob, long Size)?> files, string?[] hashes, long left, CancellationToken ct)
    {
        for (var i = 0; i < files.Count; i++)
        {
            if (await digests.PeekAsync(files[i]!.Value.Blob, left, ct) is not { Files: [var file, ..] } content)
            {
                return left;
            }

            hashes[i] = file.Sha256;
            left -= content.Read;
        }

        return left;
    }

    private static JsonObject? Json((BlobAddress Blob, long Size)? file, string? hash)
    {
        if (file is null)
        {
            return null;
        }

        var json = new JsonObject { ["size"] = file.Value.Size };
        if (hash is not null)
        {
            json["sha256"] = hash;
        }

        return json;
    }

    /// <summary>Files that are too large to be read are neither the same nor different, unless their sizes tell.</summary>
    private static string State(List<(BlobAddress Blob, long Size)?> files, string?[] hashes) =>
        files.Any(file => file is null || file.Value.Size != files[0]!.Value.Size) ? CompareRow.Different
        : hashes.Contains(null) ? CompareRow.Unknown
        : CompareRow.StateOf(hashes);
}
