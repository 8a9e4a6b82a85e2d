using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tracking.Artifacts;
using Zaffre.Tracking.Data;
using Zaffre.Tracking.Mlflow;
using Zaffre.Web;

namespace Zaffre.Tracking.History;

/// <summary>Finds containers of artifacts, and says who may write to them.</summary>
internal sealed partial class ArtifactContainers(IDatabase database, WorkspaceKeys workspaces, ArtifactStore artifacts, ArtifactPlaces places)
{
    private static readonly string[] Uploads = ["LocalUpload", "WebUpload"];

    public async Task<ArtifactContainer> OfRunAsync(WorkspaceRef workspace, RunRow run, CancellationToken ct) =>
        new(ArtifactContainer.OfRuns, "dcid." + run.Id, await artifacts.RootAsync(workspace, RunArtifacts.Prefix(run.Id), ct), run);

    /// <summary>The container, which for an upload need not have anything in it yet.</summary>
    public async Task<Outcome<ArtifactContainer>> FindAsync(WorkspaceRef workspace, string origin, string name, CancellationToken ct)
    {
        if (origin == ArtifactContainer.OfRuns)
        {
            var key = await workspaces.EnsureAsync(workspace, ct);
            var id = name.StartsWith("dcid.", StringComparison.Ordinal) ? name["dcid.".Length..] : name;
            return await database.ReadAsync(connection => RunStore.Find(connection, key, id), ct) is { } run
                ? await OfRunAsync(workspace, run, ct)
                : new Problem(ProblemKind.NotFound, "UserError", $"Run {id} was not found in workspace '{workspace.Name}'.");
        }

        if (!Uploads.Contains(origin, StringComparer.Ordinal))
        {
            return ArmErrors.Unsupported($"artifacts of the origin '{origin}'", "origin");
        }

        return Names().IsMatch(name) && !name.Contains("..", StringComparison.Ordinal)
            ? new ArtifactContainer(origin, name, await artifacts.RootAsync(workspace, $"{origin}/{name}", ct), null)
            : ArmErrors.Invalid("The name of a container has 1 to 128 letters, digits, '-', '_' and '.', and begins with a letter or digit.", "container");
    }

    /// <summary>The rules of the artifact proxy: a job's token reaches its own runs, and nobody writes a job's logs. A job may upload as its user may.</summary>
    public async Task CheckWritableAsync(HttpContext http, ArtifactContainer container, IReadOnlyCollection<string> paths, CancellationToken ct)
    {
        var mount = MlflowMount.All[1];
        var call = new MlflowCall(http, mount, await workspaces.EnsureAsync(mount.WorkspaceOf(http), ct));
        if (container.Run is { } run)
        {
            await places.CheckWritableAsync(call, run.Id, paths, ct);
        }
        else if (call.Caller.Job is { } job && !RunAccess.InWorkspace(job, call.Workspace))
        {
            RunAccess.RefuseJob(call, "upload to another workspace");
        }
    }

    /// <summary>As <see cref="CheckWritableAsync"/>, for what takes files away: what a job's user uploaded is not the job's to delete.</summary>
    public async Task CheckDeletableAsync(HttpContext http, ArtifactContainer container, IReadOnlyCollection<string> paths, CancellationToken ct)
    {
        await CheckWritableAsync(http, container, paths, ct);
        if (container.Run is null && http.Caller().Job is { } job)
        {
            throw MlflowErrors.Denied($"The token of job '{job.Name}' may not delete uploads.");
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Names();
}
