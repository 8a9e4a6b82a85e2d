using System.Security.Cryptography;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <inheritdoc cref="IContentDigests"/>
internal sealed class ContentDigests(BlobFiles blobs, DigestFiles known, TimeProvider time) : IContentDigests
{
    private const int BufferSize = 256 * 1024;

    // Two writes may fall into one tick of the file system's clock; a stamp is trusted when the file was at rest before it was read.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);

    public async Task<FolderDigest> OfAsync(BlobAddress place, CancellationToken ct)
    {
        var name = place.Name.TrimEnd('/');
        var key = place.At(name).ToString();
        using var before = known.Stamps(key);
        using var written = known.Write(key);
        var pass = new Pass(before, written, new byte[BufferSize]);
        if (name.Length > 0 && NameRules.IsBlob(name) && blobs.Open(place.At(name)) is { } single)
        {
            await AddAsync(pass, single, "", ct);
        }

        var prefix = name.Length == 0 ? "" : name + "/";
        using var walker = new BlobWalker(blobs.Files, place, prefix, after: null, BlobLister.MaxResults);
        while (walker.Next() is { } found)
        {
            ct.ThrowIfCancellationRequested();
            if (blobs.Open(place.At(found.Name)) is { } file)
            {
                await AddAsync(pass, file, found.Name[prefix.Length..], ct);
            }
        }

        return pass.IsSame ? written.Discard() : written.Commit();
    }

    public FolderDigest Of(IEnumerable<ContentFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (count, bytes) = (0L, 0L);
        foreach (var file in files.OrderBy(file => file.Name, NameOrder.Instance))
        {
            hash.AppendData(DigestWriter.Line(file.Name, file.Sha256, file.Size));
            (count, bytes) = (count + 1, bytes + file.Size);
        }

        return new FolderDigest(Convert.ToHexStringLower(hash.GetHashAndReset()), count, bytes);
    }

    public Task<ContentDifference?> CompareAsync(string before, string after, int most, CancellationToken ct) => Task.Run(() => Compare(before, after, most, ct), ct);

    private async Task AddAsync(Pass pass, OpenFile file, string name, CancellationToken ct)
    {
        using (file)
        {
            var changed = SafeFiles.Changed(file.Handle);
            if (pass.Find(name) is { } same && same.Fits(file.Stamp, changed))
            {
                pass.Written.Add(same);
                return;
            }

            var quiet = (time.GetUtcNow() - Rest).ToUnixTimeMilliseconds() * 1_000_000;
            var stamp = Math.Max(file.Stamp.Modified, changed) < quiet ? file.Stamp : file.Stamp with { Inode = 0 };
            pass.Changed();
            pass.Written.Add(new StampedFile(name, stamp, changed, await BlobStore.HashAsync(file, pass.Buffer, ct)));
        }
    }

    private ContentDifference? Compare(string before, string after, int most, CancellationToken ct)
    {
        if (known.Manifest(before) is not { } one || known.Manifest(after) is not { } other)
        {
            return null;
        }

        using var left = one.GetEnumerator();
        using var right = other.GetEnumerator();
        var (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
        var (count, first) = (0L, new List<ContentChange>());
        while (hasLeft || hasRight)
        {
            ct.ThrowIfCancellationRequested();
            var order = !hasLeft ? 1 : !hasRight ? -1 : NameOrder.Instance.Compare(left.Current.Name, right.Current.Name);
            var change = new ContentChange(order <= 0 ? left.Current.Name : right.Current.Name, order <= 0 ? left.Current.Sha256 : null, order >= 0 ? right.Current.Sha256 : null);
            if (change.Before != change.After)
            {
                count++;
                if (first.Count < most)
                {
                    first.Add(change);
                }
            }

            hasLeft = order <= 0 ? left.MoveNext() : hasLeft;
            hasRight = order >= 0 ? right.MoveNext() : hasRight;
        }

        return new ContentDifference(count, first);
    }

    /// <summary>One walk over a place, beside what an earlier one found there.</summary>
    private sealed class Pass(IEnumerator<StampedFile>? before, DigestWriter written, byte[] buffer)
    {
        private bool more = before?.MoveNext() ?? false;
        private bool changed = before is null;

        /// <summary>True when every file that was known is there as it was, and no other.</summary>
        public bool IsSame => !changed && !more;

        public DigestWriter Written => written;

        public void Changed() => changed = true;

        public byte[] Buffer => buffer;

        /// <summary>What was known of the file; asked for in the order of names.</summary>
        public StampedFile? Find(string name)
        {
            while (more && NameOrder.Instance.Compare(before!.Current.Name, name) < 0)
            {
                changed = true;
                more = before.MoveNext();
            }

            if (!more || before!.Current.Name != name)
            {
                return null;
            }

            var found = before.Current;
            more = before.MoveNext();
            return found;
        }
    }
}
