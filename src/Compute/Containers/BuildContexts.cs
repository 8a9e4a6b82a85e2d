using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Compute.Containers;

/// <summary>Build contexts as images: the context is copied (plain files only), its content names the image, and the engine builds it when it has none of that name.</summary>
internal sealed class BuildContexts(DataDirectory data, IUriResolver uris, IBlobStore blobs) : IDisposable
{
    private readonly FileTree files = new(data);
    private readonly SemaphoreSlim one = new(1);

    /// <summary>The image of the document's <c>build</c>.</summary>
    public async Task<Outcome<EngineImage>> ImageAsync(ContainerEngine engine, bool allowed, WorkspaceRef workspace, JsonObject build, CancellationToken ct)
    {
        if (!allowed)
        {
            return new Problem(ProblemKind.Unsupported, "OperationNotSupported", "This server does not build images from build contexts ('build: true' of 'containers' in compute.yml). Name an image, or declare the packages in a conda file.") { Target = "properties.build" };
        }

        var uri = build.Text("contextUri") ?? "";
        if (!(await uris.ResolveAsync(workspace, uri, ct)).TryGet(out var place, out var problem))
        {
            return problem;
        }

        if (place.Blob is not { } blob || blobs.TryGetLocalPath(new BlobAddress(blob.Account, blob.Container, blob.Path)) is not { } folder || !Directory.Exists(folder))
        {
            return new Problem(ProblemKind.Invalid, "BuildContextNotFound", $"There is no build context at {uri}.") { Target = "properties.build.contextUri" };
        }

        await one.WaitAsync(ct);
        try
        {
            return await BuildAsync(engine, folder, (build.Text("dockerfilePath") ?? "Dockerfile").TrimStart('/'), ct);
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();

    private async Task<Outcome<EngineImage>> BuildAsync(ContainerEngine engine, string folder, string dockerfile, CancellationToken ct)
    {
        var copy = data.Path("images", "contexts", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(copy);
        try
        {
            files.Copy(folder, copy);
            if (dockerfile.Split('/').Contains("..") || !File.Exists(Path.Combine(copy, dockerfile)))
            {
                return new Problem(ProblemKind.Invalid, "DockerfileNotFound", $"The build context has no file '{dockerfile}'.") { Target = "properties.build.dockerfilePath" };
            }

            var tag = "localhost/zaffre-build:" + await DigestAsync(copy, dockerfile, ct);
            if ((await engine.FindAsync(tag, pull: false, ct)).TryGet(out var there, out var missing))
            {
                return there;
            }

            return missing.Code != "ImageNotFound" ? missing
                : await engine.BuildAsync(copy, dockerfile, tag, data.Path("images", "contexts", "build.log"), ct) is { } problem ? problem
                : await engine.FindAsync(tag, pull: false, ct);
        }
        finally
        {
            files.Delete(copy);
        }
    }

    private static async Task<string> DigestAsync(string folder, string dockerfile, CancellationToken ct)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(Encoding.UTF8.GetBytes(dockerfile + "\n"));
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await using var stream = File.OpenRead(file);
            digest.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, file) + "\n" + File.GetUnixFileMode(file) + "\n"));
            digest.AppendData(await SHA256.HashDataAsync(stream, ct));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset())[..24];
    }
}
