using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Mlflow.Features;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// Azure's artifact service (<c>/artifact/v2.0/.../artifacts</c>): artifacts of runs, and files that clients upload to register them as models. An artifact is its file, so
/// one that is deleted is gone.
/// </summary>
internal static class ArtifactServiceRoutes
{
    private const string Reading = "workspaces/metadata/artifacts/read";
    private const string Writing = "workspaces/metadata/artifacts/write";
    private const string Deleting = "workspaces/metadata/artifacts/delete";

    private static readonly string[] Members = ["origin", "container", "path"];

    private delegate Task<IResult> Answer(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/artifact/v2.0");
        group.MapPost("/artifacts/metadata", ArtifactRoutes.Guarded(CreateAsync)).Requires(Writing);
        group.MapPost("/artifacts/register", ArtifactRoutes.Guarded(RegisterAsync)).Requires(Writing);
        group.MapPost("/artifacts/batch/metadata", ArtifactRoutes.Guarded((http, workspace, ct) => ByIdsAsync(http, workspace, signed: true, ct))).Requires(Reading);
        group.MapPost("/artifacts/storageuri/batch/metadata", ArtifactRoutes.Guarded((http, workspace, ct) => ByIdsAsync(http, workspace, signed: false, ct))).Requires(Reading);
        const string Container = "/artifacts/{origin}/{container}";
        group.MapGet(Container, Of((answers, http, container, ct) => answers.ListAsync(http, container, ct))).Requires(Reading);
        group.MapGet(Container + "/metadata", Of(MetadataAsync)).Requires(Reading);
        group.MapGet(Container + "/content", Of(DownloadAsync)).Requires(Reading);
        group.MapGet(Container + "/contentinfo", Of((answers, http, container, ct) => answers.ContentAsync(http, container, signed: true, ct))).Requires(Reading);
        group.MapGet(Container + "/contentinfo/storageuri", Of((answers, http, container, ct) => answers.ContentAsync(http, container, signed: false, ct))).Requires(Reading);
        group.MapGet(Container + "/prefix/contentinfo", Of((answers, http, container, ct) => answers.PrefixAsync(http, container, signed: true, ct))).Requires(Reading);
        group.MapGet(Container + "/prefix/contentinfo/storageuri", Of((answers, http, container, ct) => answers.PrefixAsync(http, container, signed: false, ct))).Requires(Reading);
        group.MapGet(Container + "/write", Of(WriteAsync)).Requires(Writing);
        group.MapPost(Container + "/content", Of(UploadAsync)).Requires(Writing);
        group.MapPost(Container + "/batch/metadata", Of((answers, http, container, ct) => answers.MakeAsync(http, container, ct))).Requires(Writing);
        group.MapPost(Container + "/batch/ingest/containersas", Of((_, _, _, _) => Task.FromResult(
            ArmResults.Problem(ArmErrors.Unsupported("the ingestion of artifacts from another container (batch/ingest/containersas)"))))).Requires(Writing);
        group.MapDelete(Container + "/metadata", Of(DeleteOneAsync)).Requires(Deleting);
        group.MapPost(Container + "/batch/metadata:delete", Of(DeleteSomeAsync)).Requires(Deleting);
        group.MapDelete(Container + "/batch", Of(DeleteAllAsync)).Requires(Deleting);
    }

    private static RequestDelegate Of(Answer answer) => ArtifactRoutes.Guarded(async (http, workspace, ct) =>
    {
        var (origin, name) = ((string)http.Request.RouteValues["origin"]!, (string)http.Request.RouteValues["container"]!);
        return (await Containers(http).FindAsync(workspace, origin, name, ct)).TryGet(out var container, out var problem)
            ? await answer(http.RequestServices.GetRequiredService<ArtifactAnswers>(), http, container, ct)
            : ArmResults.Problem(problem);
    });

    /// <summary>An artifact without content yet.</summary>
    private static async Task<IResult> CreateAsync(HttpContext http, WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await NamedAsync(http, workspace, ct)).TryGet(out var named, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var (container, path, _) = named;
        await Containers(http).CheckWritableAsync(http, container, [path], ct);
        var made = await Blobs(http).PutAsync(container.At(path), Stream.Null, new BlobWrite { OnlyIfAbsent = true }, ct);
        return ArmResults.From(made, info => ArmResults.Ok(ArtifactAnswers.Artifact(container, path, info)));
    }

    /// <summary>An artifact whose content is there. A file has one place here, so only content in the container itself can be named.</summary>
    private static async Task<IResult> RegisterAsync(HttpContext http, WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await NamedAsync(http, workspace, ct)).TryGet(out var named, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var (container, path, data) = named;
        await Containers(http).CheckWritableAsync(http, container, [path], ct);
        if (data is not null && (data.Text("dataStoreName") != RunArtifacts.Datastore || data.Text("relativePath")?.Trim('/') != container.Id(path)))
        {
            return ArmResults.Problem(ArmErrors.Unsupported($"an artifact whose content lies elsewhere than at '{container.Id(path)}' of the datastore '{RunArtifacts.Datastore}'", "dataPath"));
        }

        return await Blobs(http).FindAsync(container.At(path), ct) is { } info
            ? ArmResults.Ok(ArtifactAnswers.Artifact(container, path, info))
            : ArmResults.Problem(ArtifactAnswers.NotFound(container, path));
    }

    private static async Task<IResult> ByIdsAsync(HttpContext http, WorkspaceRef workspace, bool signed, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(http.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var ids = (body["artifactIds"] as JsonArray ?? []).Select(id => id.Text() ?? "").Distinct(StringComparer.Ordinal).ToList();
        if (ids.Count is 0 or > ArtifactAnswers.MostPaths || ids.Any(id => id.Split('/', 3).Length < 3))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'artifactIds' names 1 to {ArtifactAnswers.MostPaths} artifacts: origin, container and path.", "artifactIds"));
        }

        var (artifacts, contents, errors) = (new JsonObject(), new JsonObject(), new JsonObject());
        foreach (var id in ids)
        {
            var parts = id.Split('/', 3);
            if (!(await Containers(http).FindAsync(workspace, parts[0], parts[1], ct)).TryGet(out var container, out var unknown))
            {
                errors[id] = ArtifactAnswers.Error(unknown);
            }
            else if (await Blobs(http).FindAsync(container.At(parts[2]), ct) is { } info)
            {
                artifacts[id] = ArtifactAnswers.Artifact(container, parts[2], info);
                contents[id] = await http.RequestServices.GetRequiredService<ArtifactAnswers>().ReadableAsync(http, container, parts[2], signed, ct);
            }
            else
            {
                errors[id] = ArtifactAnswers.Error(ArtifactAnswers.NotFound(container, parts[2]));
            }
        }

        return ArmResults.Ok(new JsonObject { ["artifacts"] = artifacts, ["artifactContentInformation"] = contents, ["errors"] = errors });
    }

    private static async Task<IResult> MetadataAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var path = Path(http);
        return await Blobs(http).FindAsync(container.At(path), ct) is { } info
            ? ArmResults.Ok(ArtifactAnswers.Artifact(container, path, info))
            : ArmResults.Problem(ArtifactAnswers.NotFound(container, path));
    }

    private static async Task<IResult> DownloadAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var (path, blob) = (Path(http), container.At(Path(http)));
        if (await Blobs(http).FindAsync(blob, ct) is not { } info || await Blobs(http).OpenReadAsync(blob, ct) is not { } content)
        {
            return ArmResults.Problem(ArtifactAnswers.NotFound(container, path));
        }

        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Stream(content, "application/octet-stream", path.Split('/')[^1], info.LastModified, EntityTagHeaderValue.Parse(info.ETag), enableRangeProcessing: true);
    }

    /// <summary>Where an artifact is written, new or again; a job changes nothing that was uploaded.</summary>
    private static async Task<IResult> WriteAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var path = Path(http);
        await Containers(http).CheckWritableAsync(http, container, [path], ct);
        return container.Run is null && http.Caller().Job is not null && await Blobs(http).FindAsync(container.At(path), ct) is not null
            ? ArmResults.Problem(ArtifactAnswers.Exists(container, path))
            : ArmResults.Ok(await answers.WritableAsync(http, container, path, ct));
    }

    private static async Task<IResult> UploadAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var query = http.Request.Query;
        if (IsTrue(query["append"]) || query.ContainsKey("index"))
        {
            return ArmResults.Problem(ArmErrors.Unsupported("uploads in parts to an artifact; write blocks to its signed address ('write')", "append"));
        }

        var path = Path(http);
        await Containers(http).CheckWritableAsync(http, container, [path], ct);
        ArtifactProxy.AllowLarge(http);
        var overwrite = IsTrue(query["allowOverwrite"]) && (container.Run is not null || http.Caller().Job is null);
        var written = await Blobs(http).PutAsync(container.At(path), http.Request.Body, new BlobWrite { OnlyIfAbsent = !overwrite }, ct);
        return written.TryGet(out var info, out var problem) ? ArmResults.Ok(ArtifactAnswers.Artifact(container, path, info))
            : ArmResults.Problem(problem.Kind == ProblemKind.Conflict ? ArtifactAnswers.Exists(container, path) : problem);
    }

    private static async Task<IResult> DeleteOneAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        var path = Path(http);
        await Containers(http).CheckDeletableAsync(http, container, [path], ct);
        return await Blobs(http).DeleteAsync(container.At(path), ct) ? Results.Ok() : ArmResults.Problem(ArtifactAnswers.NotFound(container, path));
    }

    private static async Task<IResult> DeleteSomeAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        if (!(await ArtifactAnswers.PathsAsync(http, ct)).TryGet(out var paths, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        await Containers(http).CheckDeletableAsync(http, container, paths, ct);
        foreach (var path in paths)
        {
            await Blobs(http).DeleteAsync(container.At(path), ct);
        }

        return Results.Ok();
    }

    private static async Task<IResult> DeleteAllAsync(ArtifactAnswers answers, HttpContext http, ArtifactContainer container, CancellationToken ct)
    {
        await Containers(http).CheckDeletableAsync(http, container, [""], ct);
        await Blobs(http).DeleteFolderAsync(container.Root, ct);
        return Results.Ok();
    }

    /// <summary>The artifact that a body names, and where its content is said to lie.</summary>
    private static async Task<Outcome<(ArtifactContainer Container, string Path, JsonObject? Data)>> NamedAsync(HttpContext http, WorkspaceRef workspace, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(http.Request, ct)).TryGet(out var body, out var problem))
        {
            return problem;
        }

        var missing = Members.Where(member => body.Text(member) is not { Length: > 0 }).Select(member => ArmErrors.Invalid($"The member '{member}' is missing.", member)).ToList();
        if (missing.Count > 0)
        {
            return Problem.Combine(missing);
        }

        return (await Containers(http).FindAsync(workspace, body.Text("origin")!, body.Text("container")!, ct)).TryGet(out var container, out problem)
            ? (container, ArtifactPath.Check(body.Text("path")!), body.Object("dataPath"))
            : problem;
    }

    private static bool IsTrue(Microsoft.Extensions.Primitives.StringValues value) => string.Equals(value.ToString(), "true", StringComparison.OrdinalIgnoreCase);

    private static string Path(HttpContext http) => http.Request.Query["path"].ToString();

    private static ArtifactContainers Containers(HttpContext http) => http.RequestServices.GetRequiredService<ArtifactContainers>();

    private static IBlobStore Blobs(HttpContext http) => http.RequestServices.GetRequiredService<IBlobStore>();
}
