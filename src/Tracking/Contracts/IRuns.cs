using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>
/// The runs of all workspaces. A job and its run are one thing: Jobs creates the run in the unit that creates the job and
/// moves its status in the units that move the job's. Writes run inside a <see cref="WriteScope"/>, append no event of
/// their own (the caller's change of state is the event) and throw <see cref="ProblemException"/> on a broken rule. Thread safe.
/// </summary>
public interface IRuns
{
    /// <summary>Creates a run, and its experiment when needed. Throws a Conflict problem (<c>RunAlreadyExists</c>) when the id is taken.</summary>
    Run Create(WriteScope scope, NewRun run);

    /// <summary>
    /// Moves a run to <paramref name="status"/>. The first move to <see cref="RunStatus.Running"/> sets its start, a move to a
    /// terminal status its end (<paramref name="at"/>, by default the unit's time). A run that has ended stays as it is and
    /// false is returned; so repeated or late moves are harmless.
    /// </summary>
    bool SetStatus(WriteScope scope, WorkspaceRef workspace, string id, RunStatus status, RunError? error = null, DateTimeOffset? at = null);

    /// <summary>Renames a run (a job's display name).</summary>
    void SetDisplayName(WriteScope scope, WorkspaceRef workspace, string id, string displayName);

    /// <summary>Sets tags; those not named stay.</summary>
    void SetTags(WriteScope scope, WorkspaceRef workspace, string id, IReadOnlyDictionary<string, string> tags);

    /// <summary>Replaces the named outputs that run history reports.</summary>
    void SetOutputs(WriteScope scope, WorkspaceRef workspace, string id, IReadOnlyList<RunOutput> outputs);

    /// <summary>Reads a run inside a unit, seeing its own writes.</summary>
    Run? Find(WriteScope scope, WorkspaceRef workspace, string id);

    /// <summary>The run, or null.</summary>
    Task<Run?> FindAsync(WorkspaceRef workspace, string id, CancellationToken ct);

    /// <summary>The runs whose parent is <paramref name="parent"/>, oldest first.</summary>
    Task<Page<Run>> ChildrenAsync(WorkspaceRef workspace, string parent, string? continuation, int top, CancellationToken ct);

    /// <summary>The run's tags, MLflow's own (<c>mlflow.*</c>) among them; empty when there is no such run.</summary>
    Task<IReadOnlyDictionary<string, string>> TagsAsync(WorkspaceRef workspace, string id, CancellationToken ct);

    /// <summary>What was logged on the run: params, and the latest value of every metric; empty when there is no such run.</summary>
    Task<LoggedValues> LoggedAsync(WorkspaceRef workspace, string id, CancellationToken ct);

    /// <summary>The run's properties, as clients of run history set them; empty when there is no such run.</summary>
    Task<IReadOnlyDictionary<string, string>> PropertiesAsync(WorkspaceRef workspace, string id, CancellationToken ct);

    /// <summary>The named outputs.</summary>
    Task<IReadOnlyList<RunOutput>> OutputsAsync(WorkspaceRef workspace, string id, CancellationToken ct);
}

/// <summary>Where a run's artifacts lie: in the datastore <c>workspaceartifactstore</c>, below a prefix of its own.</summary>
public static class RunArtifacts
{
    /// <summary>The datastore that holds the artifacts of every run.</summary>
    public const string Datastore = "workspaceartifactstore";

    /// <summary>The prefix of a run's artifacts, without a trailing slash: <c>ExperimentRun/dcid.{run}</c>.</summary>
    public static string Prefix(string run) => "ExperimentRun/dcid." + run;
}
