using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Zaffre.Storage;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;

namespace Zaffre.Tracking.Mlflow.Features;

/// <summary>
/// The artifact proxy: where <c>mlflow-artifacts:</c> URIs lead. Bytes are streamed both ways, ranges work, and a path reaches
/// only the run that it names.
/// </summary>
internal static class ArtifactProxy
{
    public const string Prefix = "/api/2.0/mlflow-artifacts/artifacts";

    private const string AjaxPrefix = "/ajax-api/2.0/mlflow-artifacts/artifacts";

    public static IReadOnlyList<string> Routes(string method) => [$"{method} {Prefix}/{{**path}}", $"{method} {AjaxPrefix}/{{**path}}"];

    public static string Path(MlflowCall call) => call.Http.Request.RouteValues["path"] as string ?? "";

    /// <summary>The place, when a file can be there: the root itself is none.</summary>
    public static ArtifactPlace File(ArtifactPlace place) => place.Path.Length > 0 ? place : throw MlflowErrors.Invalid("Invalid path");

    /// <summary>Sends a file, whole or in the ranges that are asked for.</summary>
    public static Task SendAsync(HttpContext http, (BlobInfo Info, Stream Content) file, string name)
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Stream(
            file.Content, file.Info.ContentType, name, file.Info.LastModified, EntityTagHeaderValue.Parse(file.Info.ETag), enableRangeProcessing: true).ExecuteAsync(http);
    }

    /// <summary>Artifacts have no size limit of their own: they are streamed to disk, which has watermarks.</summary>
    public static void AllowLarge(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }
}

/// <summary>Stores one file.</summary>
internal sealed class PutArtifact(ArtifactPlaces places, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ArtifactProxy.Routes("PUT");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var place = ArtifactProxy.File(await places.WritableAsync(call, ArtifactProxy.Path(call), ct));
        ArtifactProxy.AllowLarge(call.Http);
        await artifacts.PutAsync(place.Address, call.Http.Request.Body, call.Http.Request.ContentType ?? "application/octet-stream", ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>One file.</summary>
internal sealed class GetArtifact(ArtifactPlaces places, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ArtifactProxy.Routes("GET|HEAD");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        if (ArtifactProxy.Path(call).Length == 0)
        {
            await ListFolderAsync(call, ct);
            return;
        }

        var place = await places.ReadableAsync(call, ArtifactProxy.Path(call), ct);
        if (await artifacts.OpenAsync(place.Address, ct) is not { } found)
        {
            throw MlflowErrors.NotFound($"No artifact '{place.Path}' in '{ArtifactProxy.Path(call)}'");
        }

        await ArtifactProxy.SendAsync(call.Http, found, place.FileName);
    }

    private async Task ListFolderAsync(MlflowCall call, CancellationToken ct)
    {
        var place = await places.ReadableAsync(call, call.Http.Request.Query["path"].ToString(), ct);
        var entries = await artifacts.ListAsync(place.Root, place.Path, ct);
        await call.WriteAsync(json => ListArtifacts.WriteFiles(json, entries, entry => entry.Path[(entry.Path.LastIndexOf('/') + 1)..]), ct);
    }
}

/// <summary>Deletes a file, or a folder with everything in it.</summary>
internal sealed class DeleteArtifact(ArtifactPlaces places, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ArtifactProxy.Routes("DELETE");

    public override string Action => "workspaces/experiments/runs/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        await artifacts.DeleteAsync((await places.WritableAsync(call, ArtifactProxy.Path(call), ct)).Address, ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>One small file of a run, as MLflow's pages send it.</summary>
internal sealed class UploadArtifact(ArtifactPlaces places, ArtifactStore artifacts) : MlflowOperation
{
    private const int Most = 10 * 1024 * 1024;

    public override IReadOnlyList<string> Routes { get; } = ["POST /ajax-api/2.0/mlflow/upload-artifact"];

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var query = MlflowRequest.OfQuery(call.Http.Request);
        var (id, path) = (query.RunId(), ArtifactPath.Check(query.RequiredText("path")));
        if (call.Http.Request.ContentLength is null or > Most)
        {
            throw MlflowErrors.Invalid($"Artifact size is too large: say its length, which is at most {Most} bytes (10 MB). Larger files go through the artifact proxy.");
        }

        var place = await places.OfRunAsync(call, id, path, ct);
        await artifacts.PutAsync(place.Address, call.Http.Request.Body, call.Http.Request.ContentType ?? "application/octet-stream", ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>One file, as MLflow's pages ask for it: of a run, or of a version.</summary>
internal sealed class GetNamedArtifact(Database.IDatabase database, ArtifactPlaces places, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ["GET /get-artifact", "GET /model-versions/get-artifact"];

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var request = await call.ReadAsync(ct);
        var path = ArtifactPath.Check(request.RequiredText("path"));
        var root = request.Text("name") is { } model ? $"{ArtifactPlaces.Registry}/{model}/{request.RequiredText("version")}" : await RunRootAsync(call, request.RunId(), ct);
        var place = await places.ReadableAsync(call, $"{root}/{path}", ct);
        var found = await artifacts.OpenAsync(place.Address, ct) ?? throw MlflowErrors.NotFound($"No artifact '{path}' in '{root}'");
        await ArtifactProxy.SendAsync(call.Http, found, place.FileName);
    }

    private async Task<string> RunRootAsync(MlflowCall call, string id, CancellationToken ct)
    {
        var run = await database.ReadAsync(connection => RunStore.Find(connection, call.WorkspaceKey, id), ct) ?? throw MlflowErrors.NoRun(id);
        return $"{run.ExperimentId}/{run.Id}/artifacts";
    }
}
