using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>A run to create. Timestamps are taken from the write unit where they are not given.</summary>
public sealed record NewRun
{
    /// <summary>The workspace it belongs to.</summary>
    public required WorkspaceRef Workspace { get; init; }

    /// <summary>The run's id; for a job its name. Unique per workspace, ignoring case as ARM names do.</summary>
    public required string Id { get; init; }

    /// <summary>The experiment's name; made when the workspace has none of that name.</summary>
    public required string Experiment { get; init; }

    /// <summary>What people see; the id when null. MLflow calls it the run's name.</summary>
    public string? DisplayName { get; init; }

    /// <summary>The id of the run this is a child of (pipeline step, trial).</summary>
    public string? Parent { get; init; }

    /// <summary>The state it starts in.</summary>
    public RunStatus Status { get; init; } = RunStatus.NotStarted;

    /// <summary>Run history's <c>runType</c> (<c>azureml.scriptrun</c>, <c>azureml.PipelineRun</c>, ...); null for a run that no job made.</summary>
    public string? Type { get; init; } = "azureml.scriptrun";

    /// <summary>Who started it, for people.</summary>
    public string User { get; init; } = "";

    /// <summary>The name of the compute.</summary>
    public string? Target { get; init; }

    /// <summary>When work began; null while it waits.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>The first tags; MLflow shows them as the run's tags.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>Why a run failed: a stable code, the cause, and what to do about it.</summary>
public sealed record RunError(string Code, string Message);

/// <summary>
/// A named output that run history reports once the run ends. <paramref name="AssetId"/> is what
/// <c>batchGetResolvedUris</c> is asked for; <paramref name="Type"/> is the asset type in its usual snake case
/// (<c>uri_folder</c>, <c>mlflow_model</c>, ...): run history answers with the Pascal name its clients need.
/// </summary>
public sealed record RunOutput(string Name, string AssetId, string Type);

/// <summary>Params, and the latest value of every metric (NaN and infinities are values too).</summary>
public sealed record LoggedValues(IReadOnlyDictionary<string, string> Params, IReadOnlyDictionary<string, double> Metrics);

/// <summary>A run as stored.</summary>
public sealed record Run
{
    /// <summary>The store's own key, ascending in creation order.</summary>
    public required long Key { get; init; }

    public required WorkspaceRef Workspace { get; init; }

    public required string Id { get; init; }

    /// <summary>The experiment's id (digits) and name.</summary>
    public required string ExperimentId { get; init; }

    public required string Experiment { get; init; }

    public required string DisplayName { get; init; }

    public string? Parent { get; init; }

    public required RunStatus Status { get; init; }

    /// <summary>Null when no job is behind this run: an MLflow client made it.</summary>
    public string? Type { get; init; }

    public string User { get; init; } = "";

    public string? Target { get; init; }

    public required DateTimeOffset Created { get; init; }

    public DateTimeOffset? Started { get; init; }

    public DateTimeOffset? Ended { get; init; }

    public RunError? Error { get; init; }

    /// <summary>True when deleted through MLflow (restorable).</summary>
    public bool Deleted { get; init; }
}
