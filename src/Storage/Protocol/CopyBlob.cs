using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Win32.SafeHandles;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Protocol;

/// <summary>Writes whose bytes come from another blob of this server: whole blobs, blocks and appends. Each ends before it is answered.</summary>
internal sealed class CopyBlob(CopySources sources, BlobWriter writer, BlockStage stage, WriteBlob write, TimeProvider time)
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Copy Blob, and Copy Blob From URL (<c>x-ms-requires-sync</c>), which are the same here.</summary>
    public async Task CopyAsync(BlobCall call)
    {
        write.CheckPlace(call);
        var conditions = call.Conditions();
        using var source = await sources.OpenAsync(call);
        var metadata = call.Metadata();
        var copy = new CopyRecord(Guid.NewGuid().ToString(), source.Url, time.GetUtcNow());
        var properties = source.State.Properties with { Created = null, Copy = copy, Metadata = metadata.Count > 0 ? metadata : source.State.Properties.Metadata };
        using var temp = await TakeAsync(call, source);
        var written = await writer.CommitAsync(call.Address, temp, properties, conditions, [], call.Aborted);
        stage.Clear(call.Address);
        call.Written(StatusCodes.Status202Accepted, written.Stamp);
        call.Response.Headers["x-ms-copy-id"] = copy.Id;
        call.Response.Headers["x-ms-copy-status"] = "success";
    }

    /// <summary>Put Blob From URL: as Put Blob, with the source's content headers and metadata unless the request says otherwise.</summary>
    public async Task PutAsync(BlobCall call)
    {
        if (call.Header("x-ms-blob-type") != BlobProperties.Block)
        {
            throw BlobErrors.InvalidHeader("x-ms-blob-type", "a blob that is put from a URL is a BlockBlob.");
        }

        write.CheckPlace(call);
        var conditions = call.Conditions();
        using var source = await sources.OpenAsync(call);
        var asSource = !string.Equals(call.Header("x-ms-copy-source-blob-properties"), "false", StringComparison.OrdinalIgnoreCase);
        var (kept, metadata) = (source.State.Properties, call.Metadata());
        var properties = new BlobProperties
        {
            Headers = asSource ? call.StatedContentHeaders(kept.Headers) : call.StatedContentHeaders(),
            Metadata = asSource && metadata.Count == 0 ? kept.Metadata : metadata,
            Md5 = kept.Md5,
        };
        using var temp = await TakeAsync(call, source);
        var written = await writer.CommitAsync(call.Address, temp, properties, conditions, [], call.Aborted);
        stage.Clear(call.Address);
        call.Written(StatusCodes.Status201Created, written.Stamp);
        call.Response.Headers.ContentMD5 = kept.Md5 is { } md5 ? Convert.ToBase64String(md5) : null;
    }

    /// <summary>Put Block From URL.</summary>
    public async Task StageAsync(BlobCall call)
    {
        var id = call.Target["blockid"] ?? throw BlobErrors.MissingQuery("blockid");
        BlockStage.ParseId(id);
        write.CheckPlace(call);
        using var source = await sources.OpenAsync(call);
        using var temp = await TakeAsync(call, source);
        stage.Put(call.Address, id, temp);
        call.Response.StatusCode = StatusCodes.Status201Created;
        call.Response.ContentLength = 0;
    }

    /// <summary>Append Block From URL.</summary>
    public async Task AppendAsync(BlobCall call)
    {
        write.CheckPlace(call);
        var rules = WriteBlob.Rules(call);
        using var source = await sources.OpenAsync(call);
        if (source.Length > WriteBlob.AppendLimit)
        {
            throw BlobErrors.TooLarge(WriteBlob.AppendLimit);
        }

        var md5 = await HashAsync(source.Handle, source.Offset, source.Length, call.Aborted);
        using var temp = await TakeAsync(call, source);
        var (state, offset) = await writer.AppendAsync(call.Address, temp, rules, call.Aborted);
        WriteBlob.Appended(call, state, offset, md5);
    }

    /// <summary>The bytes asked for in a file of their own, which are what <c>x-ms-source-content-md5</c> says, where it is stated.</summary>
    private async Task<TempFile> TakeAsync(BlobCall call, CopySource source)
    {
        var temp = writer.CreateTemp();
        try
        {
            temp.Append(source.Handle, source.Offset, source.Length);
            if (call.Md5("x-ms-source-content-md5") is { } stated && !(await HashAsync(temp.Handle, 0, temp.Length, call.Aborted)).AsSpan().SequenceEqual(stated))
            {
                throw BlobErrors.Md5Mismatch();
            }

            return temp;
        }
        catch
        {
            temp.Dispose();
            throw;
        }
    }

    private static async Task<byte[]> HashAsync(SafeFileHandle file, long offset, long length, CancellationToken ct)
    {
#pragma warning disable CA5351 // MD5 is what the protocol asks for; it guards against accidents only.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (var end = offset + length; offset < end;)
            {
                var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - offset)), offset, ct);
                if (read == 0)
                {
                    throw BlobErrors.SourceConditionNotMet();
                }

                hash.AppendData(buffer, 0, read);
                offset += read;
            }

            return hash.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
