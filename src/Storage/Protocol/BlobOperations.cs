using Microsoft.AspNetCore.Http;
using Zaffre.Storage.Blobs;

namespace Zaffre.Storage.Protocol;

/// <summary>Finds the operation that a request asks for; what is not served is refused by name.</summary>
internal sealed class BlobOperations(ReadBlob read, WriteBlob write, CopyBlob copy, Blocks blocks, ContainerCalls containers)
{
    public BlobOperation Of(HttpRequest request, RequestTarget target)
    {
        var operation = target.Container.Length == 0 ? OnAccount(request, target)
            : target.Blob.Length == 0 ? OnContainer(request, target)
            : OnBlob(request, target);
        if (operation is not null)
        {
            return operation;
        }

        var known = request.Method is "GET" or "HEAD" or "PUT" or "POST" or "DELETE" or "OPTIONS";
        throw known
            ? BlobErrors.Unsupported($"{request.Method} with comp='{target["comp"]}' restype='{target["restype"]}' on {(target.Blob.Length > 0 ? "a blob" : target.Container.Length > 0 ? "a container" : "the account")}")
            : BlobErrors.MethodNotAllowed(request.Method);
    }

    private BlobOperation? OnAccount(HttpRequest request, RequestTarget target) => (target["restype"], target["comp"]) switch
    {
        (null, "list") when BlobOperation.Is(request, "GET") => BlobOperation.OnService("List Containers", "l", containers.ListContainersAsync),
        ("account", "properties") when BlobOperation.Is(request, "GET", head: true) => BlobOperation.OnService("Get Account Information", "rwdlac", ContainerCalls.AccountAsync),
        ("service", "properties") when BlobOperation.Is(request, "GET") => BlobOperation.OnService("Get Blob Service Properties", "r", ContainerCalls.ServiceAsync),
        _ => null,
    };

    private BlobOperation? OnContainer(HttpRequest request, RequestTarget target) => (target["restype"], target["comp"]) switch
    {
        ("container", "list") when BlobOperation.Is(request, "GET") => BlobOperation.List("List Blobs", containers.ListBlobsAsync),
        ("container", null or "metadata") when BlobOperation.Is(request, "GET", head: true) => BlobOperation.OnContainer("Get Container Properties", "r", "read", containers.PropertiesAsync),
        ("container", null) when BlobOperation.Is(request, "PUT") => BlobOperation.OnContainer("Create Container", "wc", "write", containers.CreateAsync),
        ("container", "metadata") when BlobOperation.Is(request, "PUT") => BlobOperation.OnContainer("Set Container Metadata", "w", "write", containers.SetMetadataAsync),
        ("container", null) when BlobOperation.Is(request, "DELETE") => BlobOperation.OnContainer("Delete Container", "d", "delete", containers.DeleteAsync),
        ("account", "properties") when BlobOperation.Is(request, "GET", head: true) => BlobOperation.OnService("Get Account Information", "rwdlac", ContainerCalls.AccountAsync),
        _ => null,
    };

    private BlobOperation? OnBlob(HttpRequest request, RequestTarget target)
    {
        if (target["snapshot"] is not null || target["versionid"] is not null)
        {
            throw BlobErrors.Unsupported("A snapshot or version of a blob");
        }

        return request.Method == "PUT" && request.Headers.ContainsKey("x-ms-copy-source") ? OnCopy(request, target) : (request.Method, target["comp"]) switch
        {
            ("GET", null) => BlobOperation.Read("Get Blob", read.GetAsync),
            ("HEAD", null) => BlobOperation.Read("Get Blob Properties", read.PropertiesAsync),
            ("GET" or "HEAD", "metadata") => BlobOperation.Read("Get Blob Metadata", read.PropertiesAsync),
            ("GET", "blocklist") => BlobOperation.Read("Get Block List", blocks.ListAsync),
            ("PUT", null) => BlobOperation.Write("Put Blob", "wc", write.PutAsync),
            ("PUT", "block") => BlobOperation.Write("Put Block", "wc", blocks.PutAsync),
            ("PUT", "blocklist") => BlobOperation.Write("Put Block List", "wc", blocks.CommitAsync),
            ("PUT", "metadata") => BlobOperation.Write("Set Blob Metadata", "w", write.SetMetadataAsync),
            ("PUT", "properties") => BlobOperation.Write("Set Blob Properties", "w", write.SetPropertiesAsync),
            ("PUT", "appendblock") => BlobOperation.Write("Append Block", "wa", write.AppendAsync),
            ("PUT", "copy") => BlobOperation.Write("Abort Copy Blob", "w", _ => throw BlobErrors.NoPendingCopy()),
            ("DELETE", null) => BlobOperation.Delete("Delete Blob", write.DeleteAsync),
            ("GET" or "HEAD", "properties") when target["restype"] == "account" => BlobOperation.OnService("Get Account Information", "rwdlac", ContainerCalls.AccountAsync),
            _ => null,
        };
    }

    private BlobOperation? OnCopy(HttpRequest request, RequestTarget target) => target["comp"] switch
    {
        null when request.Headers.ContainsKey("x-ms-blob-type") => BlobOperation.Write("Put Blob From URL", "wc", copy.PutAsync),
        null => BlobOperation.Write("Copy Blob", "wc", copy.CopyAsync),
        "block" => BlobOperation.Write("Put Block From URL", "wc", copy.StageAsync),
        "appendblock" => BlobOperation.Write("Append Block From URL", "wa", copy.AppendAsync),
        _ => null,
    };
}
