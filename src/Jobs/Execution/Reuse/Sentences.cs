using Zaffre.Web;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Decisions in words.</summary>
internal static class Sentences
{
    /// <summary>Of a job that is no step.</summary>
    public const string ByItself = "runs: it was submitted by itself; only steps of pipelines are reused";

    public static string Of(Reason reason, string? compared, IReadOnlyList<StepDifference> differences) => reason switch
    {
        Reason.Reused => $"reused from the job {(compared is null ? "" : new ArmId(compared).Name)}: nothing that it sees has changed",
        Reason.FirstRun => "runs: no earlier run of this step is known",
        Reason.Forced => "runs: forced, by force_rerun of the pipeline",
        Reason.NotDeterministic => "runs: its component is not deterministic (is_deterministic: false)",
        _ => "runs: " + string.Join("; ", differences.Select(difference => difference.Text)),
    };
}
