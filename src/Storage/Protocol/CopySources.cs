using Microsoft.Win32.SafeHandles;
using Zaffre.Storage.Access;
using Zaffre.Storage.Blobs;
using Zaffre.Storage.Files;
using Zaffre.Storage.Names;

namespace Zaffre.Storage.Protocol;

/// <summary>A blob that is copied from, open, and the part of it that is asked for.</summary>
internal sealed record CopySource(OpenFile Opened, BlobState State, long Offset, long Length, string Url) : IDisposable
{
    public SafeFileHandle Handle => Opened.Handle;

    public void Dispose() => Opened.Dispose();
}

/// <summary>Finds what <c>x-ms-copy-source</c> names: a blob of this server that the caller may read, under the conditions stated for it.</summary>
internal sealed class CopySources(BlobFiles blobs, StorageAccounts accounts, BlobAccess access)
{
    public async Task<CopySource> OpenAsync(BlobCall call)
    {
        var source = await FindAsync(call);
        await access.AuthorizeSourceAsync(source, call);
        var file = blobs.Open(source.Address) ?? throw blobs.Missing(source.Address);
        try
        {
            call.SourceConditions().CheckSource(file.Stamp);
            var (offset, length) = call.SourceRange(file.Stamp.Size) ?? (0, file.Stamp.Size);
            var url = call.Header("x-ms-copy-source")!;
            return new CopySource(file, await blobs.StateAsync(source.Address, file.Stamp, call.Aborted), offset, length, url.Split('?')[0]);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private async Task<BlobCall> FindAsync(BlobCall call)
    {
        var text = call.Header("x-ms-copy-source")!;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            throw BlobErrors.CannotVerifyCopySource("it must be the URL of a blob of this server.");
        }

        var byPath = url.Authority.Equals(call.Request.Host.Value, StringComparison.OrdinalIgnoreCase) && url.AbsolutePath.StartsWith($"/{RequestTarget.PathPrefix}/", StringComparison.Ordinal);
        if (!byPath && !RequestTarget.TryAccount(url.Authority, out _))
        {
            throw BlobErrors.Unsupported($"A copy from another server ({url.Authority})");
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
}
