using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Assets;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Turns the sources that MLflow's clients name into places of this server's storage, and places into what they can read.</summary>
internal sealed partial class ModelSources(IDatabase database, IUriResolver uris, IBlobStore blobs)
{
    /// <summary>The asset's properties for a source, or INVALID_PARAMETER_VALUE when it names nothing in this server's storage.</summary>
    public async Task<JsonObject> PropertiesAsync(MlflowCall call, string source, CancellationToken ct)
    {
        if (!(await uris.ResolveAsync(call.Workspace, Plain(source), ct)).TryGet(out var place, out var problem))
        {
            throw MlflowErrors.Invalid($"Invalid model version source: '{source}'. {problem.Message}");
        }

        if (place.Blob is not { } blob || place.DatastoreUri is not { } uri)
        {
            throw MlflowErrors.Invalid($"Invalid model version source: '{source}'. It must lie in this server's storage: log the model to a run, or name a datastore.");
        }

        var described = await blobs.FindAsync(new BlobAddress(blob.Account, blob.Container, $"{blob.Path}/MLmodel"), ct) is not null;
        return new JsonObject { ["modelType"] = described ? "mlflow_model" : "custom_model", ["modelUri"] = uri };
    }

    /// <summary>The id of the logged model that a source names, or null.</summary>
    public static string? LoggedModel(string source) => source.StartsWith("models:/m-", StringComparison.Ordinal) ? source["models:/".Length..].Split('/')[0] : null;

    public async Task<string> DownloadUriAsync(MlflowCall call, VersionRow version, CancellationToken ct)
    {
        if (!call.Uris.Azure)
        {
            return $"mlflow-artifacts:/{ArtifactPlaces.Registry}/{version.Name}/{version.Version}";
        }

        return await RunUriAsync(call, version, ct) ?? $"{call.Uris.Proxy}{ArtifactPlaces.Registry}/{version.Name}/{version.Version}";
    }

    /// <summary>The files of a version among the artifacts of a run, as Azure's plugin names them; null when they lie elsewhere.</summary>
    private async Task<string?> RunUriAsync(MlflowCall call, VersionRow version, CancellationToken ct)
    {
        var place = (await uris.ResolveAsync(call.Workspace, call.Workspace.Child("models", version.Name).Child("versions", version.Version).Value, ct)).Value;
        var prefix = $"azureml://datastores/{RunArtifacts.Datastore}/paths/{RunArtifacts.Prefix("")}";
        if (place.DatastoreUri?.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) != true || place.DatastoreUri[prefix.Length..].Split('/', 2) is not [var id, var path])
        {
            return null;
        }

        return await database.ReadAsync(connection => RunStore.Find(connection, call.WorkspaceKey, id), ct) is { } run ? $"{call.Uris.Of(run)}/{path.TrimEnd('/')}" : null;
    }

    /// <summary>What Azure's plugin calls a run's artifact, in the form that every client may use.</summary>
    private static string Plain(string source) => AzureRun().Match(source) is { Success: true } match
        ? $"runs:/{match.Groups["run"].Value}{match.Groups["path"].Value}"
        : source;

    [GeneratedRegex(@"\Aazureml://[^/]+/mlflow/v[0-9.]+/.+/experiments/[^/]+/runs/(?<run>[^/]+)/artifacts(?<path>/.+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AzureRun();
}
