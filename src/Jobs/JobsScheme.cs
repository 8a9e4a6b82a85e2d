using Zaffre.Assets;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs;

/// <summary>
/// <c>azureml://jobs/{job}/outputs/{output}/paths/{path}</c>: a named output of a job, or its artifacts (<c>artifacts</c>, <c>default</c>).
/// </summary>
internal sealed class JobsScheme(JobTable jobs) : IUriScheme
{
    /// <inheritdoc/>
    public string Prefix => "azureml://jobs/";

    /// <inheritdoc/>
    public async Task<Outcome<string>> TranslateAsync(WorkspaceRef workspace, string uri, CancellationToken ct)
    {
        var parts = uri[Prefix.Length..].Split('/', 5);
        if (parts.Length < 3 || !Is(parts[1], "outputs") || (parts.Length > 3 && !Is(parts[3], "paths")) || parts[0].Length == 0 || parts[2].Length == 0)
        {
            return ArmErrors.Invalid($"'{uri}' is no URI of a job's output: azureml://jobs/JOB/outputs/OUTPUT/paths/PATH.");
        }

        var (job, name, path) = (parts[0], parts[2], parts.Length > 4 ? parts[4] : "");
        var id = workspace.Child("jobs", job);
        if (await jobs.FindAsync(id, ct) is not { } row)
        {
            return ArmErrors.NotFound(id);
        }

        var outputs = await jobs.OutputsAsync(id, ct);
        if (outputs.FirstOrDefault(output => Is(output.Name, name)) is { } found)
        {
            return Join(found.Uri, path);
        }

        return Is(name, "artifacts") || Is(name, "default")
            ? Join($"azureml://datastores/{RunArtifacts.Datastore}/paths/{RunArtifacts.Prefix(row.Name)}", path)
            : ArmErrors.NotFound($"The output '{name}' of the job '{job}' (it has {string.Join(", ", outputs.Select(output => output.Name).Append("artifacts"))})");
    }

    private static bool Is(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static string Join(string uri, string path) => path.Length == 0 ? uri : $"{uri.TrimEnd('/')}/{path.TrimStart('/')}";
}
