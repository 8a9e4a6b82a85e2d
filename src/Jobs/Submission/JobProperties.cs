namespace Zaffre.Jobs.Submission;

/// <summary>Entries of a job's <c>properties.properties</c> that the server writes; when a client sends them back they are not kept.</summary>
internal static class JobProperties
{
    /// <summary>What this host could not limit or isolate.</summary>
    public const string NotLimited = "zaffre.notLimited";

    /// <summary>What happened to the job without failing it: a limit that acted, entries of its outputs that are not published.</summary>
    public const string Warnings = "zaffre.warnings";

    /// <summary>Which try this is, when it is not the first.</summary>
    public const string Attempt = "zaffre.attempt";

    /// <summary>The command's exit code.</summary>
    public const string ExitCode = "zaffre.exitCode";

    /// <summary>The stable code of why the job did not complete.</summary>
    public const string ErrorCode = "zaffre.error.code";

    /// <summary>Why the job did not complete, and what to do.</summary>
    public const string ErrorMessage = "zaffre.error.message";

    /// <summary>When its process started and when the job ended.</summary>
    public const string StartTime = "StartTimeUtc";

    public const string EndTime = "EndTimeUtc";

    /// <summary>The job that this one repeats.</summary>
    public const string RerunOf = "zaffre.rerunOf";

    /// <summary>Set to <c>true</c> on a step that has the outputs of an earlier run; the SDK reads these names.</summary>
    public const string IsReused = "azureml.isreused";

    /// <summary>The run whose outputs the step has, and its pipeline.</summary>
    public const string ReusedRun = "azureml.reusedrunid";

    public const string ReusedPipelineRun = "azureml.reusedpipelinerunid";

    public static bool IsOurs(string key) =>
        key is IsReused or ReusedRun or ReusedPipelineRun || key.StartsWith("zaffre.", StringComparison.OrdinalIgnoreCase) || key is StartTime or EndTime;
}
