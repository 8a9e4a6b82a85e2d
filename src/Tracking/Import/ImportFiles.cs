using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Registry;
using Zaffre.Tracking.Traces;
using Zaffre.Web;

namespace Zaffre.Tracking.Import;

/// <summary>
/// The files of what was imported: <c>PUT</c> stores one, and nothing when its size or MD5 are not what was said; <c>GET</c> lists those that are there, one JSON
/// object a line. <c>owner</c> is <c>run/ID</c>, <c>model/m-ID</c>, <c>trace/ID</c> or <c>version/NAME/NUMBER</c>.
/// </summary>
internal static class ImportFiles
{
    private const int Page = 1000;

    public static async Task<IResult> PutAsync(HttpContext context, WorkspaceRef workspace, CancellationToken ct)
    {
        try
        {
            var call = await ImportRecords.CallAsync(context, workspace, ct);
            var path = ArtifactPath.Check(context.Request.Query["path"].ToString());
            if (path.Length == 0)
            {
                return ArmResults.Problem(ArmErrors.Invalid("The path of the file is missing.", "path"));
            }

            var root = await RootAsync(call, context.Request.Query["owner"].ToString(), ct);
            Mlflow.Features.ArtifactProxy.AllowLarge(context);
            await using var content = new VerifiedStream(context.Request.Body, context.Request.ContentLength, Digest(context.Request.Headers.ContentMD5.ToString()));
            var stored = await call.Stores.Artifacts.PutAsync(root.Child(path), content, context.Request.ContentType ?? "application/octet-stream", ct);
            return ArmResults.Ok(new JsonObject { ["path"] = path, ["size"] = stored.Size });
        }
        catch (Exception exception) when (Problem(exception) is { } problem)
        {
            return ArmResults.Problem(problem);
        }
    }

    public static async Task<IResult> ListAsync(HttpContext context, WorkspaceRef workspace, IBlobStore blobs, CancellationToken ct)
    {
        try
        {
            var call = await ImportRecords.CallAsync(context, workspace, ct);
            var root = await RootAsync(call, context.Request.Query["owner"].ToString(), ct);
            var prefix = root.At(root.Name + "/");
            return Results.Stream(
                async body =>
                {
                    string? continuation = null;
                    do
                    {
                        var page = await blobs.ListAsync(prefix, Page, continuation, ct);
                        foreach (var blob in page.Items)
                        {
                            var line = new JsonObject { ["path"] = blob.Name[prefix.Name.Length..], ["size"] = blob.Size, ["md5"] = blob.ContentMd5 is { } md5 ? Convert.ToBase64String(md5) : null };
                            await body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line.ToJsonString(ZaffreJson.Options) + "\n"), ct);
                        }

                        continuation = page.Next;
                    }
                    while (continuation is not null);
                },
                "application/x-ndjson");
        }
        catch (Exception exception) when (Problem(exception) is { } problem)
        {
            return ArmResults.Problem(problem);
        }
    }

    private static Problem? Problem(Exception exception) => exception switch
    {
        ProblemException known => known.Problem,
        MlflowException wrong => new Problem(ProblemKind.Invalid, "InvalidPath", wrong.Message),
        BadHttpRequestException broken => new Problem(ProblemKind.Invalid, "InvalidRequestContent", broken.Message),
        _ => null,
    };

    private static byte[]? Digest(string base64)
    {
        if (base64.Length == 0)
        {
            return null;
        }

        var bytes = new byte[MD5.HashSizeInBytes];
        return Convert.TryFromBase64String(base64, bytes, out var length) && length == bytes.Length
            ? bytes
            : throw new ProblemException(ArmErrors.Invalid("Content-MD5 must be 128 bits in base64.", "Content-MD5", "InvalidMd5"));
    }

    private static async Task<BlobAddress> RootAsync(ImportCall call, string owner, CancellationToken ct)
    {
        var prefix = await call.Stores.Database.ReadAsync(
            connection => owner.Split('/') switch
            {
                ["run", var id] when RunStore.Find(connection, call.Key, id) is { } run => run.IsJob ? throw new ProblemException(ArmErrors.Conflict($"The run '{id}' is a job's here.", "RunIsJob")) : RunArtifacts.Prefix(run.Id),
                ["model", var id] when ImportStore.FindModel(connection, call.Key, id) is { } model => model.Prefix,
                ["trace", var id] when TraceStore.Find(connection, call.Key, id) is { } trace => trace.Prefix,
                ["version", var name, var number] when RegistryStore.Find(connection, call.Workspace, name) is { } model && RegistryStore.FindVersion(connection, model, number) is { } version =>
                    version.Uri.EndsWith("/" + ImportVersion.Prefix(model.Name, version.Version), StringComparison.Ordinal)
                        ? ImportVersion.Prefix(model.Name, version.Version)
                        : throw new ProblemException(ArmErrors.Conflict($"The files of version {number} of '{name}' are not the version's own: {version.Uri}.", "NotOwnFiles")),
                _ => null,
            },
            ct);
        return prefix is null ? throw new ProblemException(ArmErrors.NotFound($"The owner '{owner}' of the file")) : await call.Stores.Artifacts.RootAsync(call.Workspace, prefix, ct);
    }
}

/// <summary>Reads a body and fails at its end when length or MD5 are not those that were said: what reads it then keeps nothing.</summary>
internal sealed class VerifiedStream(Stream inner, long? length, byte[]? md5) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private long total;

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
        var read = await inner.ReadAsync(buffer, cancellationToken);
        if (read > 0)
        {
            hash.AppendData(buffer.Span[..read]);
            total += read;
            return read;
        }

        if (buffer.Length > 0)
        {
            Verify();
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override void Flush()
    {
        // Nothing is written here.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        hash.Dispose();
        base.Dispose(disposing);
    }

    private void Verify()
    {
        if (length is { } said && said != total)
        {
            throw new ProblemException(ArmErrors.Invalid($"The file has {total} bytes and not {said} as said.", code: "SizeMismatch"));
        }

        if (md5 is not null && !hash.GetCurrentHash().AsSpan().SequenceEqual(md5))
        {
            throw new ProblemException(ArmErrors.Invalid("The MD5 of the file is not the one that was said.", code: "Md5Mismatch"));
        }
    }
}
