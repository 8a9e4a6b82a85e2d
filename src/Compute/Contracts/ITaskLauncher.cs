using Zaffre.Kernel;

namespace Zaffre.Compute;

/// <summary>A task whose process runs. It does not end with the server.</summary>
public sealed record RunningTask(TaskId Id, DateTimeOffset StartedAt)
{
    /// <summary>What this host could not limit or isolate, one sentence each; belongs into the job's properties.</summary>
    public IReadOnlyList<string> NotLimited { get; init; } = [];
}

/// <summary>A task made ready and not yet started: executing <see cref="Command"/> starts it, from any process of this user on this host, once.</summary>
public sealed record PreparedTask(TaskId Id, string Folder, IReadOnlyList<string> Command)
{
    /// <inheritdoc cref="RunningTask.NotLimited"/>
    public IReadOnlyList<string> NotLimited { get; init; } = [];
}

/// <summary>Where an attempt stands.</summary>
public enum TaskStage
{
    /// <summary>No such attempt was ever started.</summary>
    Unknown,

    /// <summary>Its lock is held: its launcher lives.</summary>
    Running,

    /// <summary>It left an exit record.</summary>
    Ended,

    /// <summary>Nobody holds the lock and there is no exit record: the machine or the launcher died.</summary>
    Lost,
}

/// <summary>Why a task is stopped; ends up in <see cref="ExitRecord.Stopped"/>.</summary>
public enum StopReason
{
    /// <summary>Somebody canceled it.</summary>
    Canceled,

    /// <summary>Its time was over.</summary>
    Timeout,

    /// <summary>The server needs it gone (deletion, replaced by another).</summary>
    Removed,

    /// <summary>It was filling the server's disk.</summary>
    DiskLimit,
}

/// <summary>
/// Starts tasks in their sandbox, and finds them again. A task outlives the server: after a restart <see cref="InspectAsync"/>,
/// <see cref="WaitAsync"/> and <see cref="StopAsync"/> work as before. Thread safe.
/// </summary>
public interface ITaskLauncher
{
    /// <summary>
    /// Starts the task and completes when its process runs. The problem says why it did not start; then nothing of it runs.
    /// An attempt starts at most once: a second start is a <see cref="ProblemKind.Conflict"/>.
    /// </summary>
    Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct);

    /// <summary>
    /// Makes the folder ready without starting, for a process other than the server that will be the parent (scoring workers), or for
    /// <see cref="StartPreparedAsync"/>.
    /// </summary>
    Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct);

    /// <summary>
    /// As <see cref="StartAsync"/>, from the folder that <see cref="PrepareAsync"/> made ready, in this server's life or in an earlier one's;
    /// <see cref="ProblemKind.NotFound"/> when there is none.
    /// </summary>
    Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct);

    /// <summary>The names of all tasks that have a folder: no other one was ever started and not yet removed.</summary>
    IReadOnlySet<string> Names();

    /// <summary>Where the attempt stands now; cheap, no waiting.</summary>
    Task<TaskStage> InspectAsync(TaskId id, CancellationToken ct);

    /// <summary>A meter for a running task; null when this launcher measures nothing.</summary>
    ITaskMeter? MeterOf(TaskId id) => null;

    /// <summary>
    /// How long the launcher of a running attempt has lived, by a clock that nobody sets: at most half a minute longer than the attempt has run. Null
    /// when it does not run or that is not known.
    /// </summary>
    TimeSpan? Age(TaskId id) => null;

    /// <summary>
    /// Completes when the attempt is over, at once when it already is; waits on the process or on the lock, never by polling.
    /// A lost or unknown task yields a record with <see cref="ExitRecord.Lost"/>. Canceling <paramref name="ct"/> ends the waiting, not the task.
    /// </summary>
    Task<ExitRecord> WaitAsync(TaskId id, CancellationToken ct);

    /// <summary>
    /// Ends the task: SIGTERM to its processes, after <paramref name="grace"/> SIGKILL to all that is left. Completes when none is left;
    /// does nothing when the task is over. The first reason given is the one recorded.
    /// </summary>
    Task StopAsync(TaskId id, StopReason reason, TimeSpan grace, CancellationToken ct);

    /// <summary>Removes the attempt's folder, scratch files and control groups. Only after it ended.</summary>
    Task RemoveAsync(TaskId id, CancellationToken ct);
}
