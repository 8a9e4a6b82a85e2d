using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary><c>runs:/{run}/{path}</c>: an artifact of a run.</summary>
internal sealed class RunsScheme(IRuns runs) : IUriScheme
{
    /// <inheritdoc/>
    public string Prefix => "runs:/";

    /// <inheritdoc/>
    public async Task<Outcome<string>> TranslateAsync(WorkspaceRef workspace, string uri, CancellationToken ct)
    {
        var parts = uri[Prefix.Length..].Trim('/').Split('/', 2);
        if (parts is not [{ Length: > 0 } run, { Length: > 0 } path])
        {
            return ArmErrors.Invalid($"'{uri}' is no URI of a run's artifact: runs:/RUN/PATH.");
        }

        return await runs.FindAsync(workspace, run, ct) is { } found
            ? $"azureml://datastores/{RunArtifacts.Datastore}/paths/{RunArtifacts.Prefix(found.Id)}/{path}"
            : ArmErrors.NotFound($"The run '{run}'");
    }
}
