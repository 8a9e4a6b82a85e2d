using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>What run history and the artifact service both answer about the artifacts of a container. The bytes are moved by signed blob URLs.</summary>
internal sealed class ArtifactAnswers(ArtifactContainers containers, IBlobStore blobs, IBlobSigner signer)
{
    /// <summary>Most artifacts in a request.</summary>
    public const int MostPaths = 1000;

    private const int FilesOnPage = 5000;

    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    /// <summary>What is not there.</summary>
    public static Problem NotFound(ArtifactContainer container, string path) => new(ProblemKind.NotFound, "UserError", $"Artifact {container.Id(path)} was not found.");

    /// <summary>What is there already: the plugin knows this text.</summary>
    public static Problem Exists(ArtifactContainer container, string path) => new(ProblemKind.Conflict, "UserError", $"Resource Conflict: ArtifactId {container.Id(path)} already exists.");

    /// <summary>Where new artifacts are written; one that is there already is an error of its own.</summary>
    public async Task<IResult> MakeAsync(HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        if (!(await PathsAsync(http, ct)).TryGet(out var paths, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        await containers.CheckWritableAsync(http, container, paths, ct);
        var (artifacts, contents, errors) = (new JsonObject(), new JsonObject(), new JsonObject());
        foreach (var path in paths)
        {
            if (await blobs.FindAsync(container.At(path), ct) is not null)
            {
                errors[path] = Error(Exists(container, path));
                continue;
            }

            artifacts[path] = Artifact(container, path, null);
            contents[path] = await WritableAsync(http, container, path, ct);
        }

        return contents.Count == 0
            ? ArmResults.Problem(Exists(container, paths[0]))
            : ArmResults.Ok(new JsonObject { ["artifacts"] = artifacts, ["artifactContentInformation"] = contents, ["errors"] = errors });
    }

    /// <summary>The artifacts at and below <c>path</c>, page by page.</summary>
    public async Task<IResult> ListAsync(HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var (files, next) = await FilesAsync(http, container, ct);
        return Page(http, files.Select(file => Artifact(container, file.Path, file.Info)), next);
    }

    /// <summary>Where one artifact is read; the plain address when it is not to be signed.</summary>
    public async Task<IResult> ContentAsync(HttpContext http, ArtifactContainer container, bool signed, CancellationToken ct)
    {
        var path = http.Request.Query["path"].ToString();
        return await blobs.FindAsync(container.At(path), ct) is null
            ? ArmResults.Problem(NotFound(container, path))
            : ArmResults.Ok(await ReadableAsync(http, container, path, signed, ct));
    }

    /// <summary>Where the artifacts at and below <c>path</c> are read, page by page.</summary>
    public async Task<IResult> PrefixAsync(HttpContext http, ArtifactContainer container, bool signed, CancellationToken ct)
    {
        var (files, next) = await FilesAsync(http, container, ct);
        var found = new List<JsonObject>();
        foreach (var (path, _) in files)
        {
            found.Add(await ReadableAsync(http, container, path, signed, ct));
        }

        return Page(http, found, next);
    }

    /// <summary>The <c>paths</c> of a request, each once and checked.</summary>
    public static async Task<Outcome<List<string>>> PathsAsync(HttpContext http, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(http.Request, ct)).TryGet(out var body, out var problem))
        {
            return problem;
        }

        var paths = (body["paths"] as JsonArray ?? []).Select(item => (item as JsonObject)?.Text("path") ?? "").ToList();
        return paths.Count is 0 or > MostPaths || paths.Any(path => ArtifactPath.Check(path).Length == 0)
            ? ArmErrors.Invalid($"'paths' names 1 to {MostPaths} paths.", "paths")
            : paths.Distinct(StringComparer.Ordinal).ToList();
    }

    /// <summary>The signed address to which one artifact is written.</summary>
    public async Task<JsonObject> WritableAsync(HttpContext http, ArtifactContainer container, string path, CancellationToken ct) =>
        Information(container, path, await signer.SignAsync(http, container.At(path), BlobRights.Read | BlobRights.Add | BlobRights.Create | BlobRights.Write, Life, ct));

    public async Task<JsonObject> ReadableAsync(HttpContext http, ArtifactContainer container, string path, bool signed, CancellationToken ct) =>
        Information(container, path, signed ? await signer.SignAsync(http, container.At(path), BlobRights.Read, Life, ct) : signer.Plain(http, container.At(path)));

    public static JsonObject Artifact(ArtifactContainer container, string path, BlobInfo? info) => new()
    {
        ["artifactId"] = container.Id(path),
        ["origin"] = container.Origin,
        ["container"] = container.Name,
        ["path"] = path,
        ["etag"] = info?.ETag,
        ["createdTime"] = info is null ? null : RunHistory.Time(info.LastModified),
        ["contentLength"] = info?.Size,
        ["dataPath"] = new JsonObject { ["dataStoreName"] = RunArtifacts.Datastore, ["relativePath"] = container.Id(path) },
        ["tags"] = new JsonObject(),
    };

    /// <summary>The error of one of several artifacts.</summary>
    public static JsonObject Error(Problem problem) => new() { ["error"] = new JsonObject { ["code"] = problem.Code, ["message"] = problem.Message } };

    private static JsonObject Information(ArtifactContainer container, string path, Uri content) => new()
    {
        ["contentUri"] = content.AbsoluteUri,
        ["origin"] = container.Origin,
        ["container"] = container.Name,
        ["path"] = path,
        ["tags"] = null,
    };

    private static IResult Page(HttpContext http, IEnumerable<JsonObject> items, string? next)
    {
        var query = http.Request.Query.Where(pair => pair.Key != "continuationToken").SelectMany(pair => pair.Value, (pair, value) => $"{pair.Key}={Uri.EscapeDataString(value ?? "")}");
        return ArmResults.Ok(new JsonObject
        {
            ["value"] = new JsonArray([.. items]),
            ["continuationToken"] = next,
            ["nextLink"] = next is null
                ? null
                : $"{http.PublicUrls().Base(http)}{http.Request.Path.ToUriComponent()}?{string.Join('&', query.Append("continuationToken=" + Uri.EscapeDataString(next)))}",
        });
    }

    private async Task<(IEnumerable<(string Path, BlobInfo Info)> Files, string? Next)> FilesAsync(HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var folder = ArtifactPath.Check(http.Request.Query["path"].ToString());
        var from = http.Request.Query["continuationToken"].ToString();
        var page = await blobs.ListAsync(container.Root.At(folder.Length == 0 ? container.Root.Name + "/" : $"{container.Root.Name}/{folder}"), FilesOnPage, from.Length == 0 ? null : from, ct);
        return (
            page.Items.Select(info => (Path: container.PathOf(info), info)).Where(file => folder.Length == 0 || file.Path == folder || file.Path.StartsWith(folder + "/", StringComparison.Ordinal)),
            page.Next);
    }
}
