using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>An experiment: a named group of runs in a workspace. <paramref name="Id"/> is digits; <c>0</c> is the workspace's own <c>Default</c>.</summary>
public sealed record Experiment(string Id, string Name, bool Deleted, DateTimeOffset Created, DateTimeOffset Updated);

/// <summary>The experiments of all workspaces. A job's experiment is an MLflow experiment. Thread safe.</summary>
public interface IExperiments
{
    /// <summary>
    /// The experiment of that name in the workspace, made when there is none. One that was deleted is restored: submitting a
    /// job into it means that it is wanted.
    /// </summary>
    Experiment Ensure(WriteScope scope, WorkspaceRef workspace, string name);

    /// <summary>The experiment of that name, or null.</summary>
    Task<Experiment?> FindAsync(WorkspaceRef workspace, string name, CancellationToken ct);
}
