using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Win32.SafeHandles;
using Zaffre.Kernel;
using Zaffre.Storage.Blobs;

namespace Zaffre.Storage.Protocol;

/// <summary>Get Blob, its properties and metadata.</summary>
internal sealed class ReadBlob(BlobFiles blobs)
{
    private const int BufferSize = 256 * 1024;
    private const int HashedRangeLimit = 4 * 1024 * 1024;

    public async Task PropertiesAsync(BlobCall call)
    {
        var state = await blobs.FindAsync(call.Address, call.Aborted) ?? throw blobs.Missing(call.Address);
        call.Conditions().CheckRead(state.Stamp);
        WriteHeaders(call, state);
        if (state.Properties.Md5 is { } md5)
        {
            call.Response.Headers.ContentMD5 = Convert.ToBase64String(md5);
        }

        if (call.Target["comp"] is null)
        {
            call.Response.ContentLength = state.Stamp.Size;
        }
    }

    public async Task GetAsync(BlobCall call)
    {
        using var file = blobs.Open(call.Address) ?? throw blobs.Missing(call.Address);
        var state = await blobs.StateAsync(call.Address, file.Stamp, call.Aborted);
        call.Conditions().CheckRead(file.Stamp);
        var range = call.Range(file.Stamp.Size);
        var (offset, length) = range ?? (0, file.Stamp.Size);
        WriteHeaders(call, state);
        var response = call.Response;
        response.ContentLength = length;
        if (range is not null)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{file.Stamp.Size}");
            await HashRangeAsync(call, file.Handle, offset, length);
        }

        if (state.Properties.Md5 is { } md5)
        {
            response.Headers[range is null ? "Content-MD5" : "x-ms-blob-content-md5"] = Convert.ToBase64String(md5);
        }

        await SendAsync(response, file.Handle, offset, length, call.Aborted);
    }

    private static async Task HashRangeAsync(BlobCall call, SafeFileHandle file, long offset, long length)
    {
        if (!string.Equals(call.Header("x-ms-range-get-content-md5"), "true", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        if (length > HashedRangeLimit)
        {
            throw BlobErrors.RangeTooLarge();
        }

        var bytes = new byte[length];
        await RandomAccess.ReadAsync(file, bytes, offset, call.Aborted);
#pragma warning disable CA5351 // MD5 is what the protocol asks for; it guards against accidents only.
        call.Response.Headers.ContentMD5 = Convert.ToBase64String(MD5.HashData(bytes));
#pragma warning restore CA5351
    }

    private static async Task SendAsync(HttpResponse response, SafeFileHandle file, long offset, long length, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(length, 1, BufferSize));
        try
        {
            for (var end = offset + length; offset < end;)
            {
                var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - offset)), offset, ct);
                if (read == 0)
                {
                    // The file became shorter: the promised length cannot be kept, so the connection ends instead of lying.
                    response.HttpContext.Abort();
                    return;
                }

                await response.Body.WriteAsync(buffer.AsMemory(0, read), ct);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void WriteHeaders(BlobCall call, BlobState state)
    {
        var headers = call.Response.Headers;
        var kept = state.Properties.Headers;
        headers.ETag = state.Stamp.ETag;
        headers.LastModified = state.Stamp.LastModified.ToString("r", CultureInfo.InvariantCulture);
        headers.AcceptRanges = "bytes";
        headers["x-ms-blob-type"] = state.Properties.Type;
        headers["x-ms-creation-time"] = state.Created.ToString("r", CultureInfo.InvariantCulture);
        headers["x-ms-lease-status"] = "unlocked";
        headers["x-ms-lease-state"] = "available";
        headers["x-ms-server-encrypted"] = "false";
        call.Response.ContentType = Asked("rsct") ?? kept.Type;
        Set("Content-Encoding", Asked("rsce") ?? kept.Encoding);
        Set("Content-Language", Asked("rscl") ?? kept.Language);
        Set("Content-Disposition", Asked("rscd") ?? kept.Disposition);
        Set("Cache-Control", Asked("rscc") ?? kept.CacheControl);
        if (state.Properties.Copy is { } copy)
        {
            headers["x-ms-copy-id"] = copy.Id;
            headers["x-ms-copy-source"] = copy.Source;
            headers["x-ms-copy-status"] = "success";
            headers["x-ms-copy-progress"] = string.Create(CultureInfo.InvariantCulture, $"{state.Stamp.Size}/{state.Stamp.Size}");
            headers["x-ms-copy-completion-time"] = copy.Completed.ToString("r", CultureInfo.InvariantCulture);
        }

        foreach (var (name, value) in state.Properties.Metadata)
        {
            headers["x-ms-meta-" + name] = value;
        }

        // What a signature says in place of what is kept.
        string? Asked(string parameter) => call.Target[parameter] is not { } value || HeaderText.CanCarry(value)
            ? call.Target[parameter]
            : throw BlobErrors.InvalidQuery(parameter, "it holds characters other than printable ASCII.");

        void Set(string name, string value)
        {
            if (value.Length > 0)
            {
                headers[name] = value;
            }
        }
    }
}
