using Microsoft.AspNetCore.Http;

namespace Zaffre.Storage.Protocol;

/// <summary>What an operation touches, as account signatures name it.</summary>
internal enum BlobLevel
{
    Service,
    Container,
    Object,
}

/// <summary>
/// An operation and what it takes: any of the letters of a signature, and the role action (on the account, its containers, or as a data action on blobs).
/// </summary>
internal sealed record BlobOperation(string Name, BlobLevel Level, string Permissions, string Action, bool IsData, Func<BlobCall, Task> RunAsync)
{
    private const string Containers = "Microsoft.Storage/storageAccounts/blobServices/containers/";
    private const string Blobs = Containers + "blobs/";

    public static BlobOperation Read(string name, Func<BlobCall, Task> run) => new(name, BlobLevel.Object, "r", Blobs + "read", true, run);

    public static BlobOperation Write(string name, string permissions, Func<BlobCall, Task> run) => new(name, BlobLevel.Object, permissions, Blobs + "write", true, run);

    public static BlobOperation Delete(string name, Func<BlobCall, Task> run) => new(name, BlobLevel.Object, "d", Blobs + "delete", true, run);

    public static BlobOperation List(string name, Func<BlobCall, Task> run) => new(name, BlobLevel.Container, "l", Blobs + "read", true, run);

    public static BlobOperation OnContainer(string name, string permissions, string verb, Func<BlobCall, Task> run) => new(name, BlobLevel.Container, permissions, Containers + verb, false, run);

    public static BlobOperation OnService(string name, string permissions, Func<BlobCall, Task> run) => new(name, BlobLevel.Service, permissions, "Microsoft.Storage/storageAccounts/blobServices/containers/read", false, run);

    /// <summary>Whether the request's method is the one given; HEAD passes for GET where <paramref name="head"/>.</summary>
    public static bool Is(HttpRequest request, string method, bool head = false) => HttpMethods.Equals(request.Method, method) || (head && HttpMethods.IsHead(request.Method));
}
