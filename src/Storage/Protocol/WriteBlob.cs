using System.Globalization;
using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Protocol;

/// <summary>Put, append, copy, change and delete a blob.</summary>
internal sealed class WriteBlob(BlobFiles blobs, BlobWriter writer, BlockStage stage, StorageAccounts accounts, BlobAccess access)
{
    /// <summary>Most bytes of one Put Blob.</summary>
    public const long Limit = 5000L * 1024 * 1024;

    private const long AppendLimit = 100L * 1024 * 1024;

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
        var rules = new AppendRules(call.Conditions(), call.Number("x-ms-blob-condition-appendpos"), call.Number("x-ms-blob-condition-maxsize"), AnyType: false);
        using var temp = writer.CreateTemp();
        var md5 = await RequestBody.SaveAsync(call, temp, AppendLimit);
        var (state, offset) = await writer.AppendAsync(call.Address, temp, rules, call.Aborted);
        call.Written(StatusCodes.Status201Created, state.Stamp);
        call.Response.Headers.ContentMD5 = Convert.ToBase64String(md5);
        call.Response.Headers["x-ms-blob-append-offset"] = offset.ToString(CultureInfo.InvariantCulture);
        call.Response.Headers["x-ms-blob-committed-block-count"] = "1";
    }

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
        var state = await writer.ChangeAsync(call.Address, call.Conditions(), before => before with { Headers = headers, Md5 = md5 }, call.Aborted);
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

    /// <summary>Copies from a blob of this server, at once.</summary>
    public async Task CopyAsync(BlobCall call)
    {
        CheckPlace(call);
        var conditions = call.Conditions();
        var source = await SourceAsync(call);
        await access.AuthorizeSourceAsync(source, call);
        using var file = blobs.Open(source.Address) ?? throw blobs.Missing(source.Address);
        var state = await blobs.StateAsync(source.Address, file.Stamp, call.Aborted);
        var metadata = call.Metadata();
        using var temp = writer.CreateTemp();
        temp.Append(file.Handle, 0, file.Stamp.Size);
        var properties = state.Properties with { Created = null, Metadata = metadata.Count > 0 ? metadata : state.Properties.Metadata };
        var written = await writer.CommitAsync(call.Address, temp, properties, conditions, [], call.Aborted);
        call.Written(StatusCodes.Status202Accepted, written.Stamp);
        call.Response.Headers["x-ms-copy-id"] = Guid.NewGuid().ToString();
        call.Response.Headers["x-ms-copy-status"] = "success";
    }

    private async Task<BlobCall> SourceAsync(BlobCall call)
    {
        var text = call.Header("x-ms-copy-source")!;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || !RequestTarget.TryAccount(url.Authority, out _))
        {
            throw BlobErrors.CannotVerifyCopySource("it must be the URL of a blob of this server.");
        }

        var target = RequestTarget.Parse(url.Authority, text);
        if (!NameRules.IsContainer(target.Container) || !NameRules.IsBlob(target.Blob) || NameRules.HasDotSegment(target.Blob))
        {
            throw BlobErrors.CannotVerifyCopySource("it names no blob.");
        }

        if (target["snapshot"] is not null || target["versionid"] is not null)
        {
            throw BlobErrors.Unsupported("A snapshot or version of a blob");
        }

        var account = await accounts.OpenAsync(target.Account, call.Aborted) ?? throw BlobErrors.CannotVerifyCopySource("there is no such account.");
        return new BlobCall(call.Http, target, account);
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
