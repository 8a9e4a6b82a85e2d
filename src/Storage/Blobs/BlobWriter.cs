using Zaffre.Database;
using Zaffre.Storage.Data;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Blobs;

/// <summary>
/// Every change of a blob. Bytes are written aside and synced without a lock; the change itself (check conditions, rename, row)
/// happens under the blob's lock, so the last writer wins whole and a row always belongs to the file beside it. Thread safe.
/// </summary>
internal sealed class BlobWriter(BlobFiles blobs, IDatabase database, KeyedLock locks, DiskSync disk, TimeProvider time)
{
    public TempFile CreateTemp() => blobs.Files.CreateTemp();

    /// <summary>Makes the written file the blob. The caller disposes <paramref name="temp"/>.</summary>
    public async Task<BlobState> CommitAsync(
        BlobAddress blob, TempFile temp, BlobProperties properties, BlobConditions conditions, IReadOnlyList<CommittedBlock> blocks, CancellationToken ct)
    {
        var stamp = temp.Touch(time.GetUtcNow());
        await disk.RunAsync(temp.Sync);
        ct.ThrowIfCancellationRequested();
        using (await locks.TakeAsync(blob, ct))
        {
            conditions.CheckWrite(blobs.Stamp(blob));
            if (!blobs.Place(temp, blob, conditions.MustBeAbsent))
            {
                throw BlobErrors.BlobExists();
            }

            return await RecordAsync(blob, stamp, properties, blocks);
        }
    }

    /// <summary>Changes what is kept beside the bytes. The file's time moves, so the ETag does too.</summary>
    public async Task<BlobState> ChangeAsync(BlobAddress blob, BlobConditions conditions, Func<BlobProperties, BlobProperties> change, CancellationToken ct)
    {
        using (await locks.TakeAsync(blob, ct))
        {
            using var file = blobs.OpenWrite(blob) ?? throw blobs.Missing(blob);
            conditions.CheckWrite(file.Stamp);
            var before = await blobs.StateAsync(blob, file.Stamp, ct);
            var blocks = await blobs.CommittedBlocksAsync(blob, file.Stamp, ct);
            var after = change(before.Properties) with { Created = before.Created };
            return await RecordAsync(blob, blobs.Files.Touch(file.Handle, time.GetUtcNow()), after, blocks);
        }
    }

    /// <summary>Appends written bytes to an existing blob, all or nothing. Returns the new state and where the bytes begin.</summary>
    public async Task<(BlobState State, long Offset)> AppendAsync(BlobAddress blob, TempFile bytes, AppendRules rules, CancellationToken ct)
    {
        using (await locks.TakeAsync(blob, ct))
        {
            using var file = blobs.OpenWrite(blob) ?? throw blobs.Missing(blob);
            var before = await blobs.StateAsync(blob, file.Stamp, ct);
            rules.Check(before, bytes.Length);
            var offset = file.Stamp.Size;
            try
            {
                SafeFiles.Append(file, bytes);
                await disk.RunAsync(() => SafeFiles.Sync(file.Handle));
            }
            catch (IOException)
            {
                RandomAccess.SetLength(file.Handle, offset);
                throw;
            }

            var stamp = blobs.Files.Touch(file.Handle, time.GetUtcNow());
            return (await RecordAsync(blob, stamp, before.Properties with { Md5 = null, Created = before.Created }, []), offset);
        }
    }

    /// <summary>Deletes the blob; false when there is none.</summary>
    public async Task<bool> DeleteAsync(BlobAddress blob, BlobConditions conditions, CancellationToken ct)
    {
        using (await locks.TakeAsync(blob, ct))
        {
            if (blobs.Stamp(blob) is not { } stamp)
            {
                return false;
            }

            conditions.CheckWrite(stamp);
            if (blobs.Files.Stamp(BlobFiles.PlainPath(blob)) is not null)
            {
                blobs.Files.Delete(BlobFiles.PlainPath(blob));
            }

            blobs.Files.Delete(BlobFiles.BesidePath(blob));
            await database.WriteAsync(scope => BlobRows.Delete(scope, blob), CancellationToken.None);
            return true;
        }
    }

    /// <summary>Deletes a folder (its name ends with a slash) and forgets what was below it.</summary>
    public async Task DeleteFolderAsync(BlobAddress folder, CancellationToken ct)
    {
        await disk.RunAsync(() => blobs.Files.DeleteTree(BlobFiles.FolderPath(folder)));
        await database.WriteAsync(scope => BlobRows.DeleteBelow(scope, folder), ct);
    }

    // Not cancellable: the file is in its place already.
    private async Task<BlobState> RecordAsync(BlobAddress blob, FileStamp stamp, BlobProperties properties, IReadOnlyList<CommittedBlock> blocks)
    {
        var folder = BlobFiles.PlainPath(blob);
        var synced = disk.RunAsync(() => blobs.Files.SyncFolder(folder[..folder.LastIndexOf('/')]));
        var recorded = database.WriteAsync(
            scope =>
            {
                var made = properties with { Created = properties.Created ?? scope.Now };
                BlobRows.Put(scope, blob, stamp, made);
                BlobRows.PutBlocks(scope, blob, blocks);
                return made;
            },
            CancellationToken.None);
        await Task.WhenAll(synced, recorded);
        return new BlobState(blob.Name, stamp, await recorded);
    }
}

/// <summary>What an append requires of the blob.</summary>
internal sealed record AppendRules(BlobConditions Conditions, long? Position, long? MaxSize, bool AnyType)
{
    public void Check(BlobState before, long length)
    {
        Conditions.CheckWrite(before.Stamp);
        if (!AnyType && before.Properties.Type != BlobProperties.Append)
        {
            throw BlobErrors.InvalidBlobType();
        }

        if (Position is { } position && position != before.Stamp.Size)
        {
            throw BlobErrors.AppendPosition();
        }

        if (MaxSize is { } max && before.Stamp.Size + length > max)
        {
            throw BlobErrors.MaxSize();
        }
    }
}
