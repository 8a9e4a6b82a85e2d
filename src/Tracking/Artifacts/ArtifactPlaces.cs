using System.Data.Common;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Storage;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Tracking.Traces;
using Zaffre.Web;

namespace Zaffre.Tracking.Artifacts;

/// <summary>What a path of the artifact proxy names: a root in the storage and a path below it (empty: the root itself).</summary>
internal sealed record ArtifactPlace(BlobAddress Root, string Path)
{
    public BlobAddress Address => Path.Length == 0 ? Root : Root.Child(Path);

    public string FileName => (Path.Length == 0 ? Root.Name : Path).Split('/')[^1];
}

/// <summary>
/// The folders that <c>mlflow-artifacts:</c> URIs reach: <c>{experiment}/{run}/artifacts</c>, <c>{experiment}/models/{id}/artifacts</c> and
/// <c>{experiment}/traces/{id}/artifacts</c>, which may be written, and <c>registry/{model}/{version}</c>, which may not.
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

        if (Nested(path) is { } nested)
        {
            return await PlaceAsync(call, await database.ReadAsync(connection => Find(connection, call, nested), ct), nested, ct);
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

        if (Nested(path) is { } nested)
        {
            return await PlaceAsync(call, await database.WriteAsync(scope => Find(scope, call, nested), ct), nested, ct);
        }

        var (experiment, id, rest) = ArtifactPath.Split(path);
        var run = await runs.WriteAsync(call, id, (_, row) => Writable(Checked(row, experiment, id), rest), ct);
        return new ArtifactPlace(await artifacts.RootAsync(call.Workspace, RunArtifacts.Prefix(run.Id), ct), rest);
    }

    /// <summary>A path among the artifacts of a run, to write to.</summary>
    public async Task<ArtifactPlace> OfRunAsync(MlflowCall call, string id, string path, CancellationToken ct)
    {
        var clean = ArtifactPath.Check(path);
        var run = await CheckWritableAsync(call, id, [clean], ct);
        return clean.Length == 0 ? throw MlflowErrors.Invalid("Invalid path") : new ArtifactPlace(await artifacts.RootAsync(call.Workspace, RunArtifacts.Prefix(run.Id), ct), clean);
    }

    /// <summary>Throws unless the caller may write to all of these paths among the artifacts of a run; the run.</summary>
    public Task<RunRow> CheckWritableAsync(MlflowCall call, string id, IReadOnlyCollection<string> paths, CancellationToken ct)
    {
        var clean = paths.Select(ArtifactPath.Check).ToList();
        return runs.WriteAsync(call, id, (_, row) => clean.TrueForAll(path => Writable(row, path) is not null) ? row : throw MlflowErrors.Invalid("Invalid path"), ct);
    }

    /// <summary>The model or trace that a path names, which lies one level deeper than a run.</summary>
    private static NestedPath? Nested(string path) => ArtifactPath.Check(path).Split('/', 5) is [var experiment, "models" or "traces", var id, "artifacts", .. var inside]
        ? new NestedPath(experiment, path.AsSpan(experiment.Length + 1).StartsWith("models"), id, inside.Length > 0 ? inside[0] : "")
        : null;

    private static (string Experiment, string Prefix)? Find(DbConnection connection, MlflowCall call, NestedPath path) => path.IsModel
        ? LoggedModelStore.Find(connection, call.WorkspaceKey, path.Id) is { } model ? (model.ExperimentId, model.Prefix) : null
        : TraceStore.Find(connection, call.WorkspaceKey, path.Id) is { } trace ? (trace.ExperimentId, trace.Prefix) : null;

    private static (string Experiment, string Prefix)? Find(WriteScope scope, MlflowCall call, NestedPath path)
    {
        if (path.IsModel)
        {
            var model = LoggedModelAccess.Find(scope, call, path.Id);
            return (model.ExperimentId, model.Prefix);
        }

        var trace = TraceAccess.Find(scope, call, path.Id);
        return (trace.ExperimentId, trace.Prefix);
    }

    private async Task<ArtifactPlace> PlaceAsync(MlflowCall call, (string Experiment, string Prefix)? found, NestedPath path, CancellationToken ct) =>
        found is { } place && place.Experiment == path.Experiment
            ? new ArtifactPlace(await artifacts.RootAsync(call.Workspace, place.Prefix, ct), path.Path)
            : throw (path.IsModel ? LoggedModelAccess.NotFound(path.Id) : TraceAccess.NotFound(path.Id));

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

    private sealed record NestedPath(string Experiment, bool IsModel, string Id, string Path);
}
