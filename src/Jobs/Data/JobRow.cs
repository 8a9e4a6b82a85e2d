using System.Text.Json;
using Zaffre.Compute;
using Zaffre.Jobs.Submission;
using Zaffre.Web;

namespace Zaffre.Jobs.Data;

/// <summary>A job as its table holds it.</summary>
internal sealed class JobRow
{
    public const string Columns = "seq, id, task, attempt, compute, status, plan, created, started, ended, stop, stop_by AS StopBy, cancel_operation AS CancelOperation, exit_code AS ExitCode, error_code AS ErrorCode, error_message AS ErrorMessage, notes, kind, parent, step, priority AS Rank, experiment, slots, due, reused_from AS ReusedFrom, warnings, environment_lock AS EnvironmentLock";

    public long Seq { get; init; }

    public string Id { get; init; } = "";

    public string Task { get; init; } = "";

    public int Attempt { get; init; }

    /// <summary>Key of the compute's resource id.</summary>
    public string Compute { get; init; } = "";

    public string Status { get; init; } = "";

    public string Plan { get; init; } = "";

    public long Created { get; init; }

    public long? Started { get; init; }

    public long? Ended { get; init; }

    /// <summary>Why an end was asked for: the name of a <see cref="StopReason"/>.</summary>
    public string? Stop { get; init; }

    public string? StopBy { get; init; }

    public string? CancelOperation { get; init; }

    public int? ExitCode { get; init; }

    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }

    public string? Notes { get; init; }

    public string? Warnings { get; init; }

    public string Kind { get; init; } = JobKind.Command;

    /// <summary>Key of the pipeline that this is a step of; null when it was submitted by itself.</summary>
    public string? Parent { get; init; }

    /// <summary>The step's name in its pipeline.</summary>
    public string? Step { get; init; }

    /// <summary>Its place among the queued jobs of a compute; see <see cref="CommandSpec.Rank"/>.</summary>
    public int Rank { get; init; }

    public string Experiment { get; init; } = "";

    /// <summary>Places of its compute that it takes at once.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>Set while it waits for its next try: when that is due.</summary>
    public long? Due { get; init; }

    /// <summary>Key of the job whose outputs a reused step has; null for one that ran itself.</summary>
    public string? ReusedFrom { get; init; }

    /// <summary>Digest of what its environment was made of when it began; of a reused step that of the original. See <see cref="LockTable"/>.</summary>
    public string? EnvironmentLock { get; init; }

    /// <summary>True for what has steps: pipelines and loops.</summary>
    public bool IsPipeline => Kind is JobKind.Pipeline or JobKind.Loop;

    /// <summary>True for a pipeline whose steps are iterations, made while it runs.</summary>
    public bool IsLoop => Kind == JobKind.Loop;

    public bool IsCondition => Kind == JobKind.Condition;

    /// <summary>False for pipelines, loops and conditions: their steps run, and they only when those do.</summary>
    public bool HasCompute => Compute.Length > 0;

    public ArmId JobId => new(Id);

    public string Name => JobId.Name;

    public TaskId TaskId => new(Task, Attempt);

    public DateTimeOffset? StartedAt => Started is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    public StopReason? StopReason => Enum.TryParse<StopReason>(Stop, out var reason) ? reason : null;

    public WorkspaceRef Workspace => WorkspaceOf(JobId);

    /// <summary>The workspace of a job.</summary>
    public static WorkspaceRef WorkspaceOf(ArmId job) => WorkspaceRef.TryParse(job.Value, out var workspace, out _)
        ? workspace
        : throw new InvalidOperationException($"'{job}' is no id of a job.");

    public JobPlan ReadPlan() => JsonSerializer.Deserialize(Plan, JobsJson.Default.JobPlan)!;

    /// <summary>What this host could not limit or isolate.</summary>
    public IReadOnlyList<string> ReadNotes() => Read(Notes);

    /// <summary>What happened to the job without failing it.</summary>
    public IReadOnlyList<string> ReadWarnings() => Read(Warnings);

    private static IReadOnlyList<string> Read(string? list) => list is null ? [] : JsonSerializer.Deserialize(list, JobsJson.Default.IReadOnlyListString)!;
}

/// <summary>What a job is.</summary>
internal static class JobKind
{
    public const string Command = "Command";
    public const string Pipeline = "Pipeline";

    /// <summary>A pipeline whose steps are iterations.</summary>
    public const string Loop = "Loop";

    /// <summary>A step that decides which others run, and does nothing else.</summary>
    public const string Condition = "Condition";

    public static string Of(JobPlan plan) => plan switch
    {
        { Pipeline.Loop: not null } => Loop,
        { Pipeline: not null } => Pipeline,
        { Condition: not null } => Condition,
        _ => Command,
    };
}

/// <summary>An output as its table holds it.</summary>
internal sealed class OutputRow
{
    public const string Columns = "name, type, uri, asset, sha256, files, bytes, value";

    public string Name { get; init; } = "";

    public string Type { get; init; } = "";

    public string Uri { get; init; } = "";

    /// <summary>Resource id of the registered asset.</summary>
    public string? Asset { get; init; }

    public string? Sha256 { get; init; }

    public long? Files { get; init; }

    public long? Bytes { get; init; }

    /// <summary>What it holds, when it is a value that steers a pipeline.</summary>
    public string? Value { get; init; }
}
