using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.Artifacts;

/// <summary>What a path of the artifact proxy names: a root in the storage and a path below it (empty: the root itself).</summary>
internal sealed record ArtifactPlace(BlobAddress Root, string Path)
{
    public BlobAddress Address => Path.Length == 0 ? Root : Root.Child(Path);

    public string FileName => (Path.Length == 0 ? Root.Name : Path).Split('/')[^1];
}

/// <summary>
/// The folders that <c>mlflow-artifacts:</c> URIs reach: <c>{experiment}/{run}/artifacts</c> and <c>{experiment}/models/{id}/artifacts</c>,
/// which may be written, and <c>registry/{model}/{version}</c>, which may not.
/// </summary>
internal sealed class ArtifactPlaces(IDatabase database, RunAccess runs, ArtifactStore artifacts, IUriResolver uris, IAuthorizer authorizer)
{
    /// <summary>Where versions of registered models are read; no experiment is called so.</summary>
    public const string Registry = "registry";

    public async Task<ArtifactPlace> ReadableAsync(MlflowCall call, string path, CancellationToken ct)
    {
        if (ArtifactPath.Check(path).Split('/', 4) is [Registry, var model, var version, .. var inside])
        {
            return await OfVersionAsync(call, model, version, inside.Length > 0 ? inside[0] : "", ct);
        }

        if (ModelPath(path) is { } logged)
        {
            return await PlaceAsync(call, await database.ReadAsync(connection => LoggedModelStore.Find(connection, call.WorkspaceKey, logged.Model), ct), logged, ct);
        }

        var (experiment, id, rest) = ArtifactPath.Split(path);
        var run = Checked(await database.ReadAsync(connection => RunStore.Find(connection, call.WorkspaceKey, id), ct), experiment, id);
        return new ArtifactPlace(await artifacts.RootAsync(call.Workspace, RunArtifacts.Prefix(run.Id), ct), rest);
    }

    public async Task<ArtifactPlace> WritableAsync(MlflowCall call, string path, CancellationToken ct)
    {
        if (ArtifactPath.Check(path).StartsWith(Registry + "/", StringComparison.Ordinal))
        {
            throw MlflowErrors.Invalid("The files of a registered version do not change. Register another version.");
        }

        if (ModelPath(path) is { } logged)
        {
            return await PlaceAsync(call, await database.WriteAsync(scope => LoggedModelAccess.Find(scope, call, logged.Model), ct), logged, ct);
        }

        var (experiment, id, rest) = ArtifactPath.Split(path);
        var run = await runs.WriteAsync(call, id, (_, row) => Writable(Checked(row, experiment, id), rest), ct);
        return new ArtifactPlace(await artifacts.RootAsync(call.Workspace, RunArtifacts.Prefix(run.Id), ct), rest);
    }

    private static (string Experiment, string Model, string Path)? ModelPath(string path) => ArtifactPath.Check(path).Split('/', 5) is [var experiment, "models", var model, "artifacts", .. var inside]
        ? (experiment, model, inside.Length > 0 ? inside[0] : "")
        : null;

    private async Task<ArtifactPlace> PlaceAsync(MlflowCall call, LoggedModelRow? model, (string Experiment, string Model, string Path) path, CancellationToken ct) =>
        model is not null && model.ExperimentId == path.Experiment
            ? new ArtifactPlace(await artifacts.RootAsync(call.Workspace, model.Prefix, ct), path.Path)
            : throw LoggedModelAccess.NotFound(path.Model);

    private static RunRow Checked(RunRow? row, string experiment, string run) =>
        row is not null && row.ExperimentId == experiment ? row : throw MlflowErrors.NoRun(run);

    /// <summary>A job's logs are the server's to write.</summary>
    private static RunRow Writable(RunRow run, string path) => !run.IsJob || path.Split('/')[0] is not ("" or "user_logs" or "system_logs")
        ? run
        : throw MlflowErrors.Denied($"The logs of job '{run.Id}' are written by the server only.");

    private async Task<ArtifactPlace> OfVersionAsync(MlflowCall call, string model, string version, string path, CancellationToken ct)
    {
        if (!await authorizer.AllowsAsync(call.Caller, "Microsoft.MachineLearningServices/workspaces/models/versions/read", call.Workspace.Id, isDataAction: false, ct))
        {
            throw MlflowErrors.Denied("Reading model versions takes the action workspaces/models/versions/read.");
        }

        var found = await uris.ResolveAsync(call.Workspace, call.Workspace.Child("models", model).Child("versions", version).Value, ct);
        return found.Succeeded && found.Value.Blob is { } blob
            ? new ArtifactPlace(new BlobAddress(blob.Account, blob.Container, blob.Path), path)
            : throw MlflowErrors.NoVersion(model, version);
    }
}
