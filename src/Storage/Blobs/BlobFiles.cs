using Zaffre.Database;
using Zaffre.Storage.Data;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <summary>Where blobs lie, and what is there: file first, row second. Thread safe.</summary>
internal sealed class BlobFiles(SafeFiles files, IDatabase database)
{
    public SafeFiles Files => files;

    public static string ContainerPath(BlobAddress blob) => $"{blob.Account}/{blob.Container}";

    public static string PlainPath(BlobAddress blob) => $"{blob.Account}/{blob.Container}/{BlobPath.Encode(blob.Name)}";

    public static string BesidePath(BlobAddress blob) => $"{blob.Account}/{blob.Container}/{BlobPath.EncodeBeside(blob.Name)}";

    /// <summary>The folder of a name that is empty or ends with a slash.</summary>
    public static string FolderPath(BlobAddress folder) =>
        folder.Name.Length == 0 ? ContainerPath(folder) : $"{folder.Account}/{folder.Container}/{BlobPath.EncodeFolder(folder.Name)}";

    public bool ContainerExists(BlobAddress blob) => files.FolderExists(ContainerPath(blob));

    public FileStamp? Stamp(BlobAddress blob) => files.Stamp(PlainPath(blob)) ?? files.Stamp(BesidePath(blob));

    public OpenFile? Open(BlobAddress blob) => files.OpenRead(PlainPath(blob)) ?? files.OpenRead(BesidePath(blob));

    public OpenFile? OpenWrite(BlobAddress blob) => files.OpenWrite(PlainPath(blob)) ?? files.OpenWrite(BesidePath(blob));

    public async Task<BlobState?> FindAsync(BlobAddress blob, CancellationToken ct) =>
        Stamp(blob) is { } stamp ? await StateAsync(blob, stamp, ct) : null;

    /// <summary>The properties of the row when it fits the stamp, else the defaults.</summary>
    public async Task<BlobState> StateAsync(BlobAddress blob, FileStamp stamp, CancellationToken ct)
    {
        var row = await database.ReadAsync(connection => BlobRows.Find(connection, blob), ct);
        return row?.StateAt(stamp) ?? new BlobState(blob.Name, stamp, new());
    }

    public async Task<IReadOnlyList<CommittedBlock>> CommittedBlocksAsync(BlobAddress blob, FileStamp stamp, CancellationToken ct) =>
        await database.ReadAsync(
            connection => BlobRows.Find(connection, blob) is { } row && new FileStamp(row.Inode, row.Size, row.Mtime) == stamp ? BlobRows.Blocks(connection, blob) : [],
            ct);

    /// <summary>Blob or container missing: says which.</summary>
    public BlobException Missing(BlobAddress blob) => ContainerExists(blob) ? BlobErrors.BlobNotFound() : BlobErrors.ContainerNotFound();

    /// <summary>Puts a finished file in the blob's place; false when <paramref name="noReplace"/> and a blob is there.</summary>
    public bool Place(TempFile temp, BlobAddress blob, bool noReplace)
    {
        var plain = PlainPath(blob);
        var beside = BesidePath(blob);
        for (var attempt = 0; attempt < 16; attempt++)
        {
            EnsureParent(blob, plain);
            try
            {
                if (temp.MoveTo(plain, noReplace))
                {
                    files.Delete(beside);
                    return true;
                }

                if (files.FolderExists(plain))
                {
                    EnsureParent(blob, beside);
                    if (temp.MoveTo(beside, noReplace))
                    {
                        return true;
                    }
                }

                if (noReplace && Stamp(blob) is not null)
                {
                    return false;
                }

                // With noReplace, a planted link or pipe holds the name without being a blob.
                files.Delete(plain);
            }
            catch (DirectoryNotFoundException)
            {
                // The parent went away between making and using it: make it again.
                continue;
            }
        }

        throw new PathBlockedException(plain);
    }

    /// <summary>Makes a folder below a container; blobs in the way move beside. The container itself must exist. Without <paramref name="sync"/> it may wait for the disk.</summary>
    public void EnsureFolder(BlobAddress container, string path, bool sync = true)
    {
        for (var attempt = 0; attempt < 16; attempt++)
        {
            if (files.TryEnsureFolder(path, out var blocker, sync))
            {
                return;
            }

            var root = ContainerPath(container) + "/";
            if (!blocker.StartsWith(root, StringComparison.Ordinal)
                || !BlobPath.TryDecode(blocker[root.Length..], out var name)
                || !files.Move(blocker, BesidePath(container.At(name))))
            {
                throw new PathBlockedException(blocker);
            }
        }

        throw new PathBlockedException(path);
    }

    private void EnsureParent(BlobAddress blob, string path)
    {
        var parent = path[..path.LastIndexOf('/')];
        if (files.FolderExists(parent))
        {
            return;
        }

        if (!ContainerExists(blob))
        {
            throw BlobErrors.ContainerNotFound();
        }

        EnsureFolder(blob, parent);
    }
}
