using System.Security.Cryptography;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Blobs;

/// <inheritdoc cref="IContentDigests"/>
internal sealed class ContentDigests(BlobFiles blobs, DigestFiles known, TimeProvider time) : IContentDigests
{
    // Two writes may fall into one tick of the file system's clock; a stamp is trusted when the file was at rest before it was read.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);

    public async Task<FolderDigest> OfAsync(BlobAddress place, CancellationToken ct)
    {
        var name = place.Name.TrimEnd('/');
        var key = place.At(name).ToString();
        using var before = known.Stamps(key);
        using var written = known.Write(key);
        var pass = new Pass(before, written.Add, long.MaxValue);
        await WalkAsync(place.At(name), pass, ct);
        return pass.IsSame ? written.Discard() : written.Commit();
    }

    public async Task<PeekedContent?> PeekAsync(BlobAddress place, long mostBytes, CancellationToken ct)
    {
        var at = place.At(place.Name.TrimEnd('/'));
        using var before = known.Stamps(at.ToString());
        using var seen = new SeenContent();
        var pass = new Pass(before, seen.Add, mostBytes);
        return await WalkAsync(at, pass, ct) ? seen.Told(mostBytes - pass.Left) : null;
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

    public Task<ContentDifference?> CompareAsync(string before, string after, int most, CancellationToken ct) =>
        Task.Run(() => Compare(known.Manifest(before), known.Manifest(after), most, ct), ct);

    public Task<ContentDifference?> CompareAsync(string before, IReadOnlyList<ContentFile> after, int most, CancellationToken ct) =>
        Task.Run(() => Compare(known.Manifest(before), after.OrderBy(file => file.Name, NameOrder.Instance), most, ct), ct);

    /// <summary>Gives the pass every file of a place; false when it must not read as much as that takes.</summary>
    private async Task<bool> WalkAsync(BlobAddress place, Pass pass, CancellationToken ct)
    {
        var name = place.Name;
        if (name.Length > 0 && NameRules.IsBlob(name) && blobs.Open(place) is { } single && !await AddAsync(pass, single, "", ct))
        {
            return false;
        }

        var prefix = name.Length == 0 ? "" : name + "/";
        using var walker = new BlobWalker(blobs.Files, place, prefix, after: null, BlobLister.MaxResults);
        while (walker.Next() is { } found)
        {
            ct.ThrowIfCancellationRequested();
            if (blobs.Open(place.At(found.Name)) is { } file && !await AddAsync(pass, file, found.Name[prefix.Length..], ct))
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> AddAsync(Pass pass, OpenFile file, string name, CancellationToken ct)
    {
        using (file)
        {
            var changed = SafeFiles.Changed(file.Handle);
            if (pass.Find(name) is { } same && same.Fits(file.Stamp, changed))
            {
                pass.Add(same);
                return true;
            }

            if (!pass.MayRead(file.Stamp.Size))
            {
                return false;
            }

            var quiet = (time.GetUtcNow() - Rest).ToUnixTimeMilliseconds() * 1_000_000;
            var stamp = Math.Max(file.Stamp.Modified, changed) < quiet ? file.Stamp : file.Stamp with { Inode = 0 };
            pass.Changed();
            pass.Add(new StampedFile(name, stamp, changed, await BlobStore.HashAsync(file, ct)));
            return true;
        }
    }

    private static ContentDifference? Compare(IEnumerable<ContentFile>? one, IEnumerable<ContentFile>? other, int most, CancellationToken ct)
    {
        if (one is null || other is null)
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
    private sealed class Pass(IEnumerator<StampedFile>? before, Action<StampedFile> add, long mostBytes)
    {
        private bool more = before?.MoveNext() ?? false;
        private bool changed = before is null;

        /// <summary>True when every file that was known is there as it was, and no other.</summary>
        public bool IsSame => !changed && !more;

        public Action<StampedFile> Add => add;

        public void Changed() => changed = true;

        /// <summary>Bytes that may still be read.</summary>
        public long Left { get; private set; } = mostBytes;

        /// <summary>Takes the bytes from what may be read; false when they are too many.</summary>
        public bool MayRead(long bytes) => (Left -= bytes) >= 0;

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
