namespace Zaffre.Jobs;

/// <summary>The states of a job, spelled as the wire spells them.</summary>
public static class JobStatus
{
    /// <summary>A step of a pipeline that waits for other steps.</summary>
    public const string NotStarted = "NotStarted";

    /// <summary>Accepted; waits for a slot of its compute.</summary>
    public const string Queued = "Queued";

    /// <summary>Its inputs or its environment are being made ready.</summary>
    public const string Preparing = "Preparing";

    /// <summary>Its process lives.</summary>
    public const string Running = "Running";

    /// <summary>Its process ended; outputs are being published.</summary>
    public const string Finalizing = "Finalizing";

    /// <summary>Somebody asked for its end; the process may still live.</summary>
    public const string CancelRequested = "CancelRequested";

    /// <summary>Ended with exit code 0 and its outputs published.</summary>
    public const string Completed = "Completed";

    /// <summary>Ended otherwise; the run's error says why.</summary>
    public const string Failed = "Failed";

    /// <summary>Ended by a person or by its time limit.</summary>
    public const string Canceled = "Canceled";

    /// <summary>True when nothing changes any more.</summary>
    public static bool IsTerminal(string status) => status is Completed or Failed or Canceled;
}

/// <summary>
/// Actions of the event log that announce a job's state; the subject is the job's resource id. Events of a pipeline carry <c>"kind":"Pipeline"</c>,
/// those of a step the resource key of its pipeline as <c>parent</c>.
/// </summary>
public static class JobActions
{
    /// <summary>What all of them begin with.</summary>
    public const string Prefix = "Microsoft.MachineLearningServices/workspaces/jobs/";

    /// <summary>Accepted; the payload's <c>compute</c> is the resource id of the compute it waits for, <c>rank</c> and <c>experiment</c> say its place in the queue.</summary>
    public const string Queued = "Microsoft.MachineLearningServices/workspaces/jobs/queued";

    /// <summary>A slot of the compute was given to the job.</summary>
    public const string Preparing = "Microsoft.MachineLearningServices/workspaces/jobs/preparing";

    /// <summary>A try failed before the command began; the payload's <c>due</c> (unix milliseconds) is when the next one, <c>attempt</c>, may begin.</summary>
    public const string Retrying = "Microsoft.MachineLearningServices/workspaces/jobs/retrying";

    /// <summary>The job's process lives.</summary>
    public const string Running = "Microsoft.MachineLearningServices/workspaces/jobs/running";

    /// <summary>The process ended; outputs are being published.</summary>
    public const string Finalizing = "Microsoft.MachineLearningServices/workspaces/jobs/finalizing";

    /// <summary>An end was asked for.</summary>
    public const string CancelRequested = "Microsoft.MachineLearningServices/workspaces/jobs/cancel/action";

    /// <summary>A step failed, and its pipeline ends the steps that still run.</summary>
    public const string Stopping = "Microsoft.MachineLearningServices/workspaces/jobs/stopping";

    /// <summary>Terminal: completed.</summary>
    public const string Completed = "Microsoft.MachineLearningServices/workspaces/jobs/completed";

    /// <summary>Terminal: failed.</summary>
    public const string Failed = "Microsoft.MachineLearningServices/workspaces/jobs/failed";

    /// <summary>Terminal: canceled.</summary>
    public const string Canceled = "Microsoft.MachineLearningServices/workspaces/jobs/canceled";
}
