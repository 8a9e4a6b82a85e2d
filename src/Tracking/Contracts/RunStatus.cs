namespace Zaffre.Tracking;

/// <summary>The state of a run, in the wire's own words (ARM job status and run history use the same names).</summary>
public enum RunStatus
{
    NotStarted,
    Starting,
    Provisioning,
    Preparing,
    Queued,
    Running,
    Finalizing,
    CancelRequested,
    Completed,
    Failed,
    Canceled,
    NotResponding,
    Paused,
    Unknown,
    Scheduled,
}

/// <summary>What the states mean to others.</summary>
public static class RunStatuses
{
    /// <summary>True when the run has ended and its status never changes again (Completed, Failed, Canceled).</summary>
    public static bool IsTerminal(this RunStatus status) => status is RunStatus.Completed or RunStatus.Failed or RunStatus.Canceled;

    /// <summary>MLflow's name of the state: SCHEDULED, RUNNING, FINISHED, FAILED or KILLED.</summary>
    public static string ToMlflow(this RunStatus status) => status switch
    {
        RunStatus.Completed => "FINISHED",
        RunStatus.Failed => "FAILED",
        RunStatus.Canceled => "KILLED",
        RunStatus.Running or RunStatus.Finalizing or RunStatus.CancelRequested or RunStatus.NotResponding => "RUNNING",
        _ => "SCHEDULED",
    };
}
