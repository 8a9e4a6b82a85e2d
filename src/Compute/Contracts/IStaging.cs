using Zaffre.Kernel;

namespace Zaffre.Compute;

/// <summary>An input that a task reads: a file or folder of this host, or an https address to fetch, or files picked from several folders. Exactly one of these is set.</summary>
public sealed record TaskInput(string Name)
{
    /// <summary>Absolute path on the host; bound read-only, not copied unless <see cref="Copy"/> says so.</summary>
    public string? LocalPath { get; init; }

    /// <summary>The task gets a copy of its own, which it may change; the source stays as it is.</summary>
    public bool Copy { get; init; }

    /// <summary>Single files of this host instead, laid out below the input's folder: the task gets copies of them.</summary>
    public IReadOnlyList<TaskInputFile>? Files { get; init; }

    /// <summary>Fetched before the task starts, within size and time limits, never from private, link-local or metadata addresses.</summary>
    public Uri? Remote { get; init; }
}

/// <summary>A file of an input: <paramref name="Name"/> is its path below the input's folder, whose last part is the name that it has on the host.</summary>
public sealed record TaskInputFile(string Name, string LocalPath);

/// <summary>A named output: a file or folder of this host, made when missing, writable for the task.</summary>
public sealed record TaskOutput(string Name, string LocalPath, bool IsFile = false)
{
    /// <summary>The task writes in a place of its own, and <see cref="IStaging.Publish"/> moves it to <see cref="LocalPath"/>.</summary>
    public bool Late { get; init; }
}

/// <summary>What a task finds around it.</summary>
public sealed record StagingRequest
{
    public required TaskId Id { get; init; }

    /// <summary>Host folder of the code, null when the task has none. It is copied (cloned where the file system can): writes never change the asset.</summary>
    public string? CodePath { get; init; }

    /// <summary>Host folder of the job's artifacts (<c>.../ExperimentRun/dcid.{job}</c>): <c>./outputs</c>, <c>./logs</c> and the log live in it.</summary>
    public required string ArtifactPath { get; init; }

    /// <summary>Names of the logs below <see cref="ArtifactPath"/>; all are made.</summary>
    public IReadOnlyList<string> Logs { get; init; } = ["user_logs/std_log.txt"];

    /// <summary>Whether the task writes the logs by their names, and not only by its standard output.</summary>
    public bool ShowsLogs { get; init; }

    /// <summary>The environment whose Python the task gets a private, writable one over; null for none.</summary>
    public RealEnvironment? Environment { get; init; }

    public IReadOnlyList<TaskInput> Inputs { get; init; } = [];

    public IReadOnlyList<TaskOutput> Outputs { get; init; } = [];

    /// <summary>The task in whose folder late outputs lie until they are published: several tasks may write into the same ones. This one when null.</summary>
    public TaskId? OutputsOf { get; init; }
}

/// <summary>Staged: everything here goes into the <see cref="TaskSpec"/>. Paths are those of the task's view unless said otherwise.</summary>
public sealed record StagedTask
{
    public required string WorkingDirectory { get; init; }

    /// <summary>Host path of the first log; it exists, empty or with what was there.</summary>
    public string LogPath => LogPaths[0];

    /// <summary>Host paths of all logs, in the order of the request.</summary>
    public required IReadOnlyList<string> LogPaths { get; init; }

    /// <summary>Paths of the logs in the task's view, when they are shown to it; else empty.</summary>
    public IReadOnlyList<string> LogViews { get; init; } = [];

    public required IReadOnlyList<TaskBind> Binds { get; init; }

    /// <summary>HOME and TMPDIR. Never overrides what the job sets.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>What makes the task's own Python the one of its command (PATH); overrides the environment's variables, and the job's override it.</summary>
    public IReadOnlyDictionary<string, string> Python { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Path that the task uses for each input, by name.</summary>
    public required IReadOnlyDictionary<string, string> InputPaths { get; init; }

    /// <summary>Path that the task uses for each output, by name.</summary>
    public required IReadOnlyDictionary<string, string> OutputPaths { get; init; }
}

/// <summary>Puts a task's files in place. Thread safe across tasks.</summary>
public interface IStaging
{
    /// <summary>
    /// Makes working directory, binds and log ready. Doing it again for the same task gives the same answer. Problems name the input
    /// (<c>Target</c>: <c>inputs.{name}</c> or <c>outputs.{name}</c>); all of them are reported.
    /// </summary>
    Task<Outcome<StagedTask>> PrepareAsync(StagingRequest request, CancellationToken ct);

    /// <summary>What the environment was made of that the task was prepared with, also after a restart; null when that is not known.</summary>
    EnvironmentLock? LockOf(TaskId task);

    /// <summary>
    /// After the end of a task that did well: moves its late outputs to their places, each whole or not at all. A problem names the output. Doing it again after
    /// a crash goes on where it stopped.
    /// </summary>
    Problem? Publish(StagingRequest request);

    /// <summary>
    /// After the end: makes what the task wrote into its outputs readable for the server again (a job may have removed the permissions). Links are never
    /// followed. Working copy and scratch files go with <see cref="ITaskLauncher.RemoveAsync"/>. Tells what lies there and is no file or folder: nobody will
    /// see it.
    /// </summary>
    IReadOnlyList<string> OpenOutputs(StagingRequest request);
}
