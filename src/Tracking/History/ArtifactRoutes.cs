using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>
/// Run history's artifacts of a run, as Azure's MLflow plugin calls them: it asks for signed URLs, and moves the bytes with the
/// blob client.
/// </summary>
internal static class ArtifactRoutes
{
    private const int MostPaths = 1000;
    private const int MostFiles = 5000;
    private const string Reading = "workspaces/experiments/runs/read";
    private const string Writing = "workspaces/experiments/runs/write";
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    /// <summary>Answers for a run of the experiment that the route names.</summary>
    internal delegate Task<IResult> Answer(HttpContext context, RunRow run, CancellationToken ct);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapWorkspace("/history/v1.0");
        foreach (var experiments in new[] { "experiments", "experimentids" })
        {
            var root = $"/{experiments}/{{experiment}}/runs/{{id}}/artifacts";
            group.MapPost(root + "/batch/metadata", Of(MakeAsync)).Requires(Writing);
            group.MapGet(root, Of(ListAsync)).Requires(Reading);
            group.MapGet(root + "/path", Of(ListAsync)).Requires(Reading);
            group.MapGet(root + "/contentinfo", Of(ContentAsync)).Requires(Reading);
            group.MapGet(root + "/prefix/contentinfo", Of(PrefixAsync)).Requires(Reading);
        }
    }

    /// <summary>Finds the run first; the errors of MLflow's rules come in run history's form.</summary>
    internal static RequestDelegate Of(Answer answer) => async context =>
    {
        var ct = context.RequestAborted;
        try
        {
            var (experiment, id) = ((string)context.Request.RouteValues["experiment"]!, (string)context.Request.RouteValues["id"]!);
            var workspace = (await WorkspaceRef.BindAsync(context))!;
            var key = await context.RequestServices.GetRequiredService<WorkspaceKeys>().EnsureAsync(workspace, ct);
            var run = await context.RequestServices.GetRequiredService<IDatabase>().ReadAsync(connection => RunStore.Find(connection, key, id), ct);
            var result = run is null || (experiment != run.ExperimentId && experiment != run.ExperimentName)
                ? ArmResults.Problem(new Problem(ProblemKind.NotFound, "UserError", $"Run {id} was not found in experiment '{experiment}'."))
                : await answer(context, run, ct);
            await result.ExecuteAsync(context);
        }
        catch (MlflowException error)
        {
            var kind = error.Status == StatusCodes.Status403Forbidden ? ProblemKind.Forbidden : ProblemKind.Invalid;
            await ArmResults.Problem(new Problem(kind, "UserError", error.Message)).ExecuteAsync(context);
        }
    };

    /// <summary>Where new artifacts are written; one that is there already is an error of its own.</summary>
    private static async Task<IResult> MakeAsync(HttpContext context, RunRow run, CancellationToken ct)
    {
        if (!(await JsonBody.ReadAsync(context.Request, ct)).TryGet(out var body, out var problem))
        {
            return ArmResults.Problem(problem);
        }

        var paths = (body["paths"] as JsonArray ?? []).Select(item => (item as JsonObject)?.Text("path") ?? "").ToList();
        if (paths.Count is 0 or > MostPaths || paths.Any(path => path.Length == 0))
        {
            return ArmResults.Problem(ArmErrors.Invalid($"'paths' names 1 to {MostPaths} paths.", "paths"));
        }

        await WritableAsync(context, run, paths, ct);
        var (artifacts, contents, errors) = (new JsonObject(), new JsonObject(), new JsonObject());
        foreach (var path in paths.Distinct(StringComparer.Ordinal))
        {
            var blob = await AddressAsync(context, run, path, ct);
            if (await context.RequestServices.GetRequiredService<IBlobStore>().FindAsync(blob, ct) is not null)
            {
                errors[path] = new JsonObject { ["error"] = new JsonObject { ["code"] = "UserError", ["message"] = $"Resource Conflict: ArtifactId {Id(run)}/{path} already exists." } };
                continue;
            }

            artifacts[path] = Artifact(run, path, null);
            contents[path] = await InfoAsync(context, run, path, blob, BlobRights.Read | BlobRights.Add | BlobRights.Create | BlobRights.Write, ct);
        }

        return contents.Count == 0
            ? ArmResults.Problem(new Problem(ProblemKind.Conflict, "UserError", $"Resource Conflict: ArtifactId {Id(run)}/{paths[0]} already exists."))
            : ArmResults.Ok(new JsonObject { ["artifacts"] = artifacts, ["artifactContentInformation"] = contents, ["errors"] = errors });
    }

    private static async Task<IResult> ListAsync(HttpContext context, RunRow run, CancellationToken ct)
    {
        var folder = ArtifactPath.Check(context.Request.Query["path"].ToString());
        var files = await FilesAsync(context, run, folder, ct);
        return ArmResults.Ok(new JsonObject { ["value"] = new JsonArray([.. files.Select(file => Artifact(run, file.Path, file.Info))]) });
    }

    private static async Task<IResult> ContentAsync(HttpContext context, RunRow run, CancellationToken ct)
    {
        var path = context.Request.Query["path"].ToString();
        var blob = await AddressAsync(context, run, path, ct);
        return await context.RequestServices.GetRequiredService<IBlobStore>().FindAsync(blob, ct) is null
            ? ArmResults.Problem(new Problem(ProblemKind.NotFound, "UserError", $"Artifact {Id(run)}/{path} was not found."))
            : ArmResults.Ok(await InfoAsync(context, run, path, blob, BlobRights.Read, ct));
    }

    private static async Task<IResult> PrefixAsync(HttpContext context, RunRow run, CancellationToken ct)
    {
        var folder = ArtifactPath.Check(context.Request.Query["path"].ToString());
        var found = new JsonArray();
        foreach (var (path, _) in await FilesAsync(context, run, folder, ct))
        {
            found.Add(await InfoAsync(context, run, path, await AddressAsync(context, run, path, ct), BlobRights.Read, ct));
        }

        return ArmResults.Ok(new JsonObject { ["value"] = found });
    }

    private static async Task<List<(string Path, BlobInfo Info)>> FilesAsync(HttpContext context, RunRow run, string folder, CancellationToken ct)
    {
        var root = await RootAsync(context, run, ct);
        var page = await context.RequestServices.GetRequiredService<IBlobStore>().ListAsync(root.At(folder.Length == 0 ? root.Name + "/" : $"{root.Name}/{folder}"), MostFiles, null, ct);
        return [.. page.Items.Select(info => (Path: info.Name[(root.Name.Length + 1)..], info)).Where(file => folder.Length == 0 || file.Path == folder || file.Path.StartsWith(folder + "/", StringComparison.Ordinal))];
    }

    /// <summary>The rules of the artifact proxy: a job's token reaches its own runs, and nobody writes a job's logs.</summary>
    private static async Task WritableAsync(HttpContext context, RunRow run, IEnumerable<string> paths, CancellationToken ct)
    {
        var mount = MlflowMount.All[1];
        var call = new MlflowCall(context, mount, run.Workspace);
        foreach (var path in paths)
        {
            await context.RequestServices.GetRequiredService<Artifacts.ArtifactPlaces>().WritableAsync(call, $"{run.ExperimentId}/{run.Id}/artifacts/{path}", ct);
        }
    }

    private static Task<BlobAddress> RootAsync(HttpContext context, RunRow run, CancellationToken ct) =>
        context.RequestServices.GetRequiredService<ArtifactStore>().RootAsync(MlflowMount.All[1].WorkspaceOf(context), RunArtifacts.Prefix(run.Id), ct);

    private static async Task<BlobAddress> AddressAsync(HttpContext context, RunRow run, string path, CancellationToken ct)
    {
        var clean = ArtifactPath.Check(path);
        return clean.Length == 0 ? throw MlflowErrors.Invalid("Invalid path") : (await RootAsync(context, run, ct)).Child(clean);
    }

    private static string Id(RunRow run) => "ExperimentRun/dcid." + run.Id;

    private static JsonObject Artifact(RunRow run, string path, BlobInfo? info) => new()
    {
        ["artifactId"] = $"{Id(run)}/{path}",
        ["origin"] = "ExperimentRun",
        ["container"] = "dcid." + run.Id,
        ["path"] = path,
        ["etag"] = info?.ETag,
        ["createdTime"] = info is null ? null : RunHistory.Time(info.LastModified),
        ["contentLength"] = info?.Size,
        ["tags"] = new JsonObject(),
    };

    private static async Task<JsonObject> InfoAsync(HttpContext context, RunRow run, string path, BlobAddress blob, BlobRights rights, CancellationToken ct) => new()
    {
        ["contentUri"] = (await context.RequestServices.GetRequiredService<IBlobSigner>().SignAsync(context, blob, rights, Life, ct)).AbsoluteUri,
        ["origin"] = "ExperimentRun",
        ["container"] = "dcid." + run.Id,
        ["path"] = path,
        ["tags"] = null,
    };
}
