using System.Text;
using Zaffre.Database;
using Zaffre.Storage.Data;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Blobs;

/// <summary>What to list.</summary>
internal sealed record ListQuery(BlobAddress Container, string Prefix, string Delimiter, string? Marker, int Max);

/// <summary>One line of a listing: a blob, or (without state) everything below a common prefix.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct ListedItem(string Name, BlobState? State);

/// <summary>Pages of blobs in the order of their names, files joined with their rows.</summary>
internal sealed class BlobLister(SafeFiles files, IDatabase database)
{
    public const int MaxResults = 5000;

    /// <summary>One page; the marker is null at the end. Throws for a marker that this class did not make.</summary>
    public async Task<(IReadOnlyList<ListedItem> Items, string? Next)> ListAsync(ListQuery query, CancellationToken ct)
    {
        var found = new List<(string Name, FileStamp? Stamp)>();
        var more = Collect(query, found, ct);
        var blobs = found.Where(f => f.Stamp is not null).Select(f => f.Name).ToList();
        var rows = blobs.Count == 0 ? [] : await database.ReadAsync(connection => BlobRows.Find(connection, query.Container, blobs), ct);
        var items = found.ConvertAll(f => new ListedItem(f.Name, f.Stamp is { } stamp ? StateOf(f.Name, stamp, rows) : null));
        return (items, more ? Marker(items[^1]) : null);
    }

    private static BlobState StateOf(string name, FileStamp stamp, Dictionary<string, BlobRow> rows) =>
        rows.TryGetValue(name, out var row) ? row.StateAt(stamp) : new BlobState(name, stamp, new());

    private bool Collect(ListQuery query, List<(string Name, FileStamp? Stamp)> found, CancellationToken ct)
    {
        using var walker = new BlobWalker(files, query.Container, query.Prefix, Bound(query.Marker), Math.Min(query.Max + 1, MaxResults));
        string? rolled = null;
        while (walker.Next() is { } blob)
        {
            ct.ThrowIfCancellationRequested();
            if (rolled is not null && blob.Name.StartsWith(rolled, StringComparison.Ordinal))
            {
                continue;
            }

            if (found.Count == query.Max)
            {
                return true;
            }

            var at = query.Delimiter.Length == 0 ? -1 : blob.Name.IndexOf(query.Delimiter, query.Prefix.Length, StringComparison.Ordinal);
            if (at < 0)
            {
                found.Add((blob.Name, blob.Stamp));
                continue;
            }

            rolled = blob.Name[..(at + query.Delimiter.Length)];
            found.Add((rolled, null));
            walker.Skip(rolled);
        }

        return false;
    }

    private static string Marker(ListedItem last) => (last.State is null ? "p" : "n") + Convert.ToBase64String(Encoding.UTF8.GetBytes(last.Name));

    private static WalkBound? Bound(string? marker)
    {
        if (string.IsNullOrEmpty(marker))
        {
            return null;
        }

        var bytes = new byte[marker.Length];
        return marker[0] is 'n' or 'p' && Convert.TryFromBase64String(marker[1..], bytes, out var length)
            ? new WalkBound(Encoding.UTF8.GetString(bytes, 0, length), marker[0] == 'p')
            : throw BlobErrors.OutOfRangeQuery("marker", "it is not one that a listing returned.");
    }
}
