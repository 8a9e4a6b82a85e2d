using Zaffre.Assets;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking.Artifacts;

/// <summary><c>mlflow-artifacts:/{experiment}/{run}/artifacts/{path}</c>, with or without a host: what MLflow's clients call an artifact of a run.</summary>
internal sealed class MlflowArtifactsScheme : IUriScheme
{
    /// <inheritdoc/>
    public string Prefix => "mlflow-artifacts:/";

    /// <inheritdoc/>
    public Task<Outcome<string>> TranslateAsync(WorkspaceRef workspace, string uri, CancellationToken ct)
    {
        var rest = uri[Prefix.Length..];
        if (rest.StartsWith('/'))
        {
            rest = rest.TrimStart('/') is var hosted && hosted.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 ? hosted[(slash + 1)..] : "";
        }

        return Task.FromResult<Outcome<string>>(rest.Trim('/').Split('/', 4) switch
        {
            [ArtifactPlaces.Registry, { Length: > 0 } model, { Length: > 0 } version] => workspace.Child("models", model).Child("versions", version).Value,
            [{ Length: > 0 }, "models", { Length: > 0 } model, { } path] when path == "artifacts" || path.StartsWith("artifacts/", StringComparison.Ordinal) => $"models:/{model}{path["artifacts".Length..]}",
            [{ Length: > 0 }, { Length: > 0 } run, "artifacts", { Length: > 0 } path] => $"runs:/{run}/{path}",
            _ => ArmErrors.Invalid($"'{uri}' is no URI of an artifact: mlflow-artifacts:/EXPERIMENT/RUN/artifacts/PATH."),
        });
    }
}
