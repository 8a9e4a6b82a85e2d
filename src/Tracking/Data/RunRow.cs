using System.Globalization;
using Zaffre.Database;
using Zaffre.Web;

namespace Zaffre.Tracking.Data;

/// <summary>A row of <c>runs</c> with what its experiment and workspace add; instants in Unix milliseconds.</summary>
internal sealed record RunRow
{
    /// <summary>The columns of this record; <c>r</c> is the run, <c>e</c> its experiment.</summary>
    public const string Columns =
        "r.key, r.workspace, r.id, r.experiment, e.name AS experimentName, e.fallback, r.name, r.parent, r.type, r.status, r.user, r.target, r.created, "
        + "r.start_time AS startTime, r.started, r.ended, r.error_code AS errorCode, r.error_message AS errorMessage, (r.deleted OR e.deleted) AS deleted, e.deleted AS experimentDeleted, r.changed";

    public const string Select = "SELECT " + Columns + " FROM runs r JOIN experiments e ON e.key = r.experiment";

    /// <summary>The row at which a statement of <see cref="Select"/> stands.</summary>
    public static RunRow Read(Statement row) => new()
    {
        Key = row.Long(0),
        Workspace = row.Long(1),
        Id = row.Text(2),
        Experiment = row.Long(3),
        ExperimentName = row.Text(4),
        Fallback = row.Long(5),
        Name = row.Text(6),
        Parent = row.TextOrNull(7),
        Type = row.TextOrNull(8),
        Status = row.Long(9),
        User = row.Text(10),
        Target = row.TextOrNull(11),
        Created = row.Long(12),
        StartTime = row.Long(13),
        Started = row.LongOrNull(14),
        Ended = row.LongOrNull(15),
        ErrorCode = row.TextOrNull(16),
        ErrorMessage = row.TextOrNull(17),
        Deleted = row.Long(18),
        ExperimentDeleted = row.Long(19),
        Changed = row.Long(20),
    };

    public long Key { get; init; }

    public long Workspace { get; init; }

    public string Id { get; init; } = "";

    public long Experiment { get; init; }

    public string ExperimentName { get; init; } = "";

    public long Fallback { get; init; }

    public string Name { get; init; } = "";

    public string? Parent { get; init; }

    public string? Type { get; init; }

    public long Status { get; init; }

    public string User { get; init; } = "";

    public string? Target { get; init; }

    public long Created { get; init; }

    public long StartTime { get; init; }

    public long? Started { get; init; }

    public long? Ended { get; init; }

    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }

    public long Deleted { get; init; }

    public long ExperimentDeleted { get; init; }

    /// <summary>The number of about the last unit that changed it; see <see cref="RunChange.MarkWidth"/>.</summary>
    public long Changed { get; init; }

    public RunStatus State => (RunStatus)Status;

    public bool IsDeleted => Deleted != 0;

    /// <summary>True when the platform, not an MLflow client, owns the run's status.</summary>
    public bool IsJob => Type is not null;

    public string ExperimentId => Fallback != 0 ? "0" : Experiment.ToString(CultureInfo.InvariantCulture);

    public Run ToContract(WorkspaceRef workspace) => new()
    {
        Key = Key,
        Workspace = workspace,
        Id = Id,
        ExperimentId = ExperimentId,
        Experiment = ExperimentName,
        DisplayName = Name,
        Parent = Parent,
        Status = State,
        Type = Type,
        User = User,
        Target = Target,
        Created = DateTimeOffset.FromUnixTimeMilliseconds(Created),
        Started = Started is { } started ? DateTimeOffset.FromUnixTimeMilliseconds(started) : null,
        Ended = Ended is { } ended ? DateTimeOffset.FromUnixTimeMilliseconds(ended) : null,
        Error = ErrorCode is null ? null : new RunError(ErrorCode, ErrorMessage ?? ""),
        Deleted = IsDeleted,
    };
}
