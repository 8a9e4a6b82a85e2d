using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Zaffre.Database;
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

    public static (string Experiment, string Run, string Path) Split(MlflowCall call) =>
        ArtifactPath.Split(call.Http.Request.RouteValues["path"] as string ?? "");

    public static async Task<RunRow> FindAsync(IDatabase database, MlflowCall call, string experiment, string run, CancellationToken ct) =>
        Checked(await database.ReadAsync(connection => RunStore.Find(connection, call.WorkspaceKey, run), ct), experiment, run);

    public static RunRow Checked(RunRow? row, string experiment, string run) =>
        row is not null && row.ExperimentId == experiment ? row : throw MlflowErrors.NoRun(run);

    /// <summary>The run when the caller may write to its artifacts. A job's logs are the server's to write.</summary>
    public static Task<RunRow> WritableAsync(RunAccess runs, MlflowCall call, (string Experiment, string Run, string Path) target, CancellationToken ct) => runs.WriteAsync(
        call,
        target.Run,
        (_, row) =>
        {
            var folder = target.Path.Split('/')[0];
            return !row.IsJob || folder is not ("" or "user_logs" or "system_logs")
                ? Checked(row, target.Experiment, target.Run)
                : throw MlflowErrors.Denied($"The logs of job '{row.Id}' are written by the server only.");
        },
        ct);
}

/// <summary>Stores one file.</summary>
internal sealed class PutArtifact(RunAccess runs, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ArtifactProxy.Routes("PUT");

    public override string Action => "workspaces/experiments/runs/write";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var target = ArtifactProxy.Split(call);
        if (target.Path.Length == 0)
        {
            throw MlflowErrors.Invalid("Invalid path");
        }

        if (call.Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        var run = await ArtifactProxy.WritableAsync(runs, call, target, ct);
        var address = await artifacts.AddressAsync(call.Workspace, run.Id, target.Path, ct);
        await artifacts.PutAsync(address, call.Http.Request.Body, call.Http.Request.ContentType ?? "application/octet-stream", ct);
        await call.WriteEmptyAsync(ct);
    }
}

/// <summary>One file.</summary>
internal sealed class GetArtifact(IDatabase database, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ArtifactProxy.Routes("GET|HEAD");

    public override string Action => "workspaces/experiments/runs/read";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(call.Http.Request.RouteValues["path"] as string))
        {
            await ListFolderAsync(call, ct);
            return;
        }

        var (experiment, id, path) = ArtifactProxy.Split(call);
        var run = await ArtifactProxy.FindAsync(database, call, experiment, id, ct);
        var address = await artifacts.AddressAsync(call.Workspace, run.Id, path, ct);
        if (path.Length == 0 || await artifacts.OpenAsync(address, ct) is not { } found)
        {
            throw MlflowErrors.NotFound($"No artifact '{path}' in run with id {run.Id}");
        }

        call.Http.Response.Headers.XContentTypeOptions = "nosniff";
        await Results.Stream(
            found.Content,
            found.Info.ContentType,
            path[(path.LastIndexOf('/') + 1)..],
            found.Info.LastModified,
            EntityTagHeaderValue.Parse(found.Info.ETag),
            enableRangeProcessing: true).ExecuteAsync(call.Http);
    }

    private async Task ListFolderAsync(MlflowCall call, CancellationToken ct)
    {
        var (experiment, id, folder) = ArtifactPath.Split(call.Http.Request.Query["path"].ToString());
        var run = await ArtifactProxy.FindAsync(database, call, experiment, id, ct);
        var entries = await artifacts.ListAsync(call.Workspace, run.Id, folder, ct);
        await call.WriteAsync(json => ListArtifacts.WriteFiles(json, entries, entry => entry.Path[(entry.Path.LastIndexOf('/') + 1)..]), ct);
    }
}

/// <summary>Deletes a file, or a folder with everything in it.</summary>
internal sealed class DeleteArtifact(RunAccess runs, ArtifactStore artifacts) : MlflowOperation
{
    public override IReadOnlyList<string> Routes { get; } = ArtifactProxy.Routes("DELETE");

    public override string Action => "workspaces/experiments/runs/delete";

    public override async Task HandleAsync(MlflowCall call, CancellationToken ct)
    {
        var target = ArtifactProxy.Split(call);
        var run = await ArtifactProxy.WritableAsync(runs, call, target, ct);
        await artifacts.DeleteAsync(await artifacts.AddressAsync(call.Workspace, run.Id, target.Path, ct), ct);
        await call.WriteEmptyAsync(ct);
    }
}
