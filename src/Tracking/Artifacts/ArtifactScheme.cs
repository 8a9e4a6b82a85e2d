using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking.Artifacts;

/// <summary><c>azureml://artifacts/{origin}/{container}/{path}</c>: what the artifact service keeps, an upload or an artifact of a run. The id is the place in the artifact store.</summary>
internal sealed class ArtifactScheme : IUriScheme
{
    private static readonly string[] Origins = ["ExperimentRun", "LocalUpload", "WebUpload"];

    /// <inheritdoc/>
    public string Prefix => "azureml://artifacts/";

    /// <inheritdoc/>
    public Task<Outcome<string>> TranslateAsync(WorkspaceRef workspace, string uri, CancellationToken ct) => Task.FromResult<Outcome<string>>(
        uri[Prefix.Length..].Trim('/').Split('/', 3) is [var origin, { Length: > 0 } container, { Length: > 0 } path] && Origins.Contains(origin, StringComparer.Ordinal)
            ? $"azureml://datastores/{RunArtifacts.Datastore}/paths/{origin}/{container}/{path}"
            : ArmErrors.Invalid($"'{uri}' is no URI of an artifact: azureml://artifacts/ORIGIN/CONTAINER/PATH, the origin being one of {string.Join(", ", Origins)}."));
}
