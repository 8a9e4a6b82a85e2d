using System.Globalization;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Blobs;

namespace Zaffre.Storage.Protocol;

/// <summary>Put, append to, change and delete a blob.</summary>
internal sealed class WriteBlob(BlobFiles blobs, BlobWriter writer, BlockStage stage)
{
    /// <summary>Most bytes of one Put Blob.</summary>
    public const long Limit = 5000L * 1024 * 1024;

    /// <summary>Most bytes of one append.</summary>
    public const long AppendLimit = 100L * 1024 * 1024;

    public async Task PutAsync(BlobCall call)
    {
        var type = call.Header("x-ms-blob-type") ?? throw BlobErrors.MissingHeader("x-ms-blob-type");
        if (type is not (BlobProperties.Block or BlobProperties.Append))
        {
            throw type == "PageBlob" ? BlobErrors.Unsupported("A page blob") : BlobErrors.InvalidHeader("x-ms-blob-type", "it must be BlockBlob or AppendBlob.");
        }

        CheckPlace(call);
        var conditions = call.Conditions();
        var properties = new BlobProperties { Type = type, Headers = call.ContentHeaders(), Metadata = call.Metadata() };
        var stated = call.Md5("x-ms-blob-content-md5");
        using var temp = writer.CreateTemp();
        var md5 = await RequestBody.SaveAsync(call, temp, type == BlobProperties.Append ? 0 : Limit);
        if (stated is not null && !stated.AsSpan().SequenceEqual(md5))
        {
            throw BlobErrors.Md5Mismatch();
        }

        var state = await writer.CommitAsync(call.Address, temp, properties with { Md5 = type == BlobProperties.Append ? null : md5 }, conditions, [], call.Aborted);
        stage.Clear(call.Address);
        call.Written(StatusCodes.Status201Created, state.Stamp);
        call.Response.Headers.ContentMD5 = Convert.ToBase64String(md5);
    }

    public async Task AppendAsync(BlobCall call)
    {
        CheckPlace(call);
        var rules = Rules(call);
        using var temp = writer.CreateTemp();
        var md5 = await RequestBody.SaveAsync(call, temp, AppendLimit);
        var (state, offset) = await writer.AppendAsync(call.Address, temp, rules, call.Aborted);
        Appended(call, state, offset, md5);
    }

    /// <summary>Answers an append.</summary>
    public static void Appended(BlobCall call, BlobState state, long offset, byte[] md5)
    {
        call.Written(StatusCodes.Status201Created, state.Stamp);
        call.Response.Headers.ContentMD5 = Convert.ToBase64String(md5);
        call.Response.Headers["x-ms-blob-append-offset"] = offset.ToString(CultureInfo.InvariantCulture);
        call.Response.Headers["x-ms-blob-committed-block-count"] = "1";
    }

    /// <summary>What an append of this request requires.</summary>
    public static AppendRules Rules(BlobCall call) =>
        new(call.Conditions(), call.Number("x-ms-blob-condition-appendpos"), call.Number("x-ms-blob-condition-maxsize"), AnyType: false);

    public async Task SetMetadataAsync(BlobCall call)
    {
        var metadata = call.Metadata();
        var state = await writer.ChangeAsync(call.Address, call.Conditions(), before => before with { Metadata = metadata }, call.Aborted);
        call.Written(StatusCodes.Status200OK, state.Stamp);
    }

    public async Task SetPropertiesAsync(BlobCall call)
    {
        var headers = call.StatedContentHeaders();
        var md5 = call.Md5("x-ms-blob-content-md5");
        var state = await writer.ChangeAsync(call.Address, call.Conditions(), before => before with { Headers = headers, Md5 = md5, Copy = null }, call.Aborted);
        call.Written(StatusCodes.Status200OK, state.Stamp);
    }

    public async Task DeleteAsync(BlobCall call)
    {
        if (call.Header("x-ms-delete-snapshots") is not (null or "include"))
        {
            throw BlobErrors.Unsupported("Deleting snapshots only");
        }

        if (!await writer.DeleteAsync(call.Address, call.Conditions(), call.Aborted))
        {
            throw blobs.Missing(call.Address);
        }

        stage.Clear(call.Address);
        call.Response.StatusCode = StatusCodes.Status202Accepted;
        call.Response.Headers["x-ms-delete-type-permanent"] = "true";
    }

    /// <summary>Refuses containers that are not, before a body is read.</summary>
    public void CheckPlace(BlobCall call)
    {
        if (!blobs.ContainerExists(call.Address))
        {
            throw BlobErrors.ContainerNotFound();
        }
    }
}
