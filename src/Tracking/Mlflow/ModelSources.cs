using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Registry;

namespace Zaffre.Tracking.Mlflow;

/// <summary>Turns the sources that MLflow's clients name into places of this server's storage, and places into what they can read.</summary>
internal sealed partial class ModelSources(IUriResolver uris, IBlobStore blobs)
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

        var place = (await uris.ResolveAsync(call.Workspace, call.Workspace.Child("models", version.Name).Child("versions", version.Version).Value, ct)).Value;
        return place.LongDatastoreUri ?? version.Source;
    }

    /// <summary>What Azure's plugin calls a run's artifact, in the form that every client may use.</summary>
    private static string Plain(string source) => AzureRun().Match(source) is { Success: true } match
        ? $"runs:/{match.Groups["run"].Value}{match.Groups["path"].Value}"
        : source;

    [GeneratedRegex(@"\Aazureml://[^/]+/mlflow/v[0-9.]+/.+/experiments/[^/]+/runs/(?<run>[^/]+)/artifacts(?<path>/.+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AzureRun();
}
