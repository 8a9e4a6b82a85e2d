using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;

namespace Zaffre.Storage.Protocol;

/// <summary>Streams a request's body into a file, checking its length and MD5 on the way.</summary>
internal static class RequestBody
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Writes the body; returns its MD5 (empty when only a stated one is to be checked and none is stated). Throws when it is longer than <paramref name="limit"/>, shorter than it said, or not what its MD5 says.</summary>
    public static async Task<byte[]> SaveAsync(BlobCall call, TempFile temp, long limit, bool onlyStatedMd5 = false)
    {
        var promised = call.Request.ContentLength ?? throw BlobErrors.LengthRequired();
        if (promised > limit)
        {
            throw BlobErrors.TooLarge(limit);
        }

        var expected = call.Md5("Content-MD5");
        Allow(call.Http, promised);
#pragma warning disable CA5351 // MD5 is what the protocol stores; it guards against accidents only.
        using var hash = onlyStatedMd5 && expected is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(promised, 1, BufferSize));
        try
        {
            int read;
            while ((read = await call.Request.Body.ReadAsync(buffer, call.Aborted)) > 0)
            {
                hash?.AppendData(buffer, 0, read);
                temp.Write(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (temp.Length != promised)
        {
            throw BlobErrors.Incomplete();
        }

        var actual = hash?.GetHashAndReset() ?? [];
        return expected is null || expected.AsSpan().SequenceEqual(actual) ? actual : throw BlobErrors.Md5Mismatch();
    }

    private static void Allow(HttpContext context, long length)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = Math.Max(length, 1);
        }
    }
}
