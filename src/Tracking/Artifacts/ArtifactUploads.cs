using System.Globalization;
using System.Security.Cryptography;
using Zaffre.Storage;
using Zaffre.Tracking.Mlflow;

namespace Zaffre.Tracking.Artifacts;

/// <summary>
/// Uploads in parts. Parts are blobs below <c>mlflow-uploads/</c> in the artifact container; completing one streams them, in order,
/// into the artifact, which appears whole or not at all. The artifact remembers its upload, so that a client which lost the answer may complete it again.
/// Parts of uploads that nobody completed go after a day.
/// </summary>
internal sealed class ArtifactUploads(IBlobStore blobs, ArtifactTickets tickets, TimeProvider time)
{
    public const int MostParts = 10_000;

    private const string Folder = "mlflow-uploads";
    private const string Origin = "zaffre_upload";
    private const int SweepPage = 1000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>A new upload to the blob: its id, and the place of each part.</summary>
    public async Task<(string Id, IReadOnlyList<BlobAddress> Parts)> CreateAsync(BlobAddress blob, int parts, CancellationToken ct)
    {
        await SweepAsync(blob.At(Folder + "/"), ct);
        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        return (nonce + "." + tickets.Issue("upload." + nonce, blob, ArtifactTickets.Life), [.. Enumerable.Range(1, parts).Select(part => Part(blob, nonce, part))]);
    }

    /// <summary>Puts the parts together in the order of their numbers.</summary>
    public async Task CompleteAsync(string upload, BlobAddress blob, IReadOnlyList<(int Number, string ETag)> parts, CancellationToken ct)
    {
        var nonce = Check(upload, blob);
        if (!await TryCompleteAsync(nonce, blob, parts, ct) && !await IsCompletedAsync(nonce, blob, ct))
        {
            throw MlflowErrors.Invalid("Parts of the upload are gone: it was given up, or the artifact was written again since.");
        }

        await blobs.DeleteFolderAsync(blob.At($"{Folder}/{nonce}"), CancellationToken.None);
    }

    public Task AbortAsync(string upload, BlobAddress blob, CancellationToken ct) => blobs.DeleteFolderAsync(blob.At($"{Folder}/{Check(upload, blob)}"), ct);

    /// <summary>False when parts went away meanwhile, as they do when another caller has completed the upload.</summary>
    private async Task<bool> TryCompleteAsync(string nonce, BlobAddress blob, IReadOnlyList<(int Number, string ETag)> parts, CancellationToken ct)
    {
        if (await IsCompletedAsync(nonce, blob, ct))
        {
            return true;
        }

        var found = new List<BlobAddress>();
        foreach (var (number, etag) in parts.OrderBy(part => part.Number))
        {
            var address = Part(blob, nonce, number);
            if (await blobs.FindAsync(address, ct) is not { } info)
            {
                return await IsCompletedAsync(nonce, blob, ct) ? true : throw MlflowErrors.Invalid($"Part {number} of the upload was not uploaded.");
            }

            if (etag.Length > 0 && etag.Trim('"') != info.ETag.Trim('"'))
            {
                throw MlflowErrors.Invalid($"Part {number} of the upload is not the one that was acknowledged with {etag}.");
            }

            found.Add(address);
        }

        try
        {
            await using var content = new PartsStream(blobs, found);
            _ = (await blobs.PutAsync(blob, content, new BlobWrite { Metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { [Origin] = nonce } }, ct)).Value;
            return true;
        }
        catch (PartGoneException)
        {
            return false;
        }
    }

    private async Task<bool> IsCompletedAsync(string nonce, BlobAddress blob, CancellationToken ct) =>
        (await blobs.FindAsync(blob, ct))?.Metadata.GetValueOrDefault(Origin) == nonce;

    private static BlobAddress Part(BlobAddress blob, string nonce, int part) => blob.At(string.Create(CultureInfo.InvariantCulture, $"{Folder}/{nonce}/{part:00000}"));

    private string Check(string upload, BlobAddress blob)
    {
        var nonce = upload.Split('.', 2)[0];
        return upload.Length > nonce.Length && tickets.Open(upload[(nonce.Length + 1)..], "upload." + nonce) == blob
            ? nonce
            : throw MlflowErrors.Invalid("The upload_id is not one of this path.");
    }

    private async Task SweepAsync(BlobAddress folder, CancellationToken ct)
    {
        var oldest = time.GetUtcNow() - Kept;
        foreach (var part in (await blobs.ListAsync(folder, SweepPage, null, ct)).Items.Where(part => part.LastModified < oldest))
        {
            await blobs.DeleteAsync(folder.At(part.Name), ct);
        }
    }
}

/// <summary>A part that was there was deleted before it was read.</summary>
internal sealed class PartGoneException() : IOException("A part of the upload is gone.");

/// <summary>Several blobs, one after the other.</summary>
internal sealed class PartsStream(IBlobStore blobs, IReadOnlyList<BlobAddress> parts) : Stream
{
    private int next;
    private Stream? current;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (current is null)
            {
                if (next == parts.Count)
                {
                    return 0;
                }

                current = await blobs.OpenReadAsync(parts[next++], cancellationToken) ?? throw new PartGoneException();
            }

            var read = await current.ReadAsync(buffer, cancellationToken);
            if (read > 0)
            {
                return read;
            }

            await current.DisposeAsync();
            current = null;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override void Flush()
    {
        // Nothing is written here.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        if (current is not null)
        {
            await current.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
