using System.Text.Json;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>An earlier run of a step, as its decision tells.</summary>
internal sealed record EarlierRun(string Job, string? ReuseKey, string? Facts, string Status)
{
    public StepFacts? ReadFacts() => Facts is null ? null : JsonSerializer.Deserialize(Facts, JobsJson.Default.StepFacts);
}

/// <summary>What write units do with decisions and moved outputs.</summary>
internal static class ReuseWrites
{
    internal const string CandidatesSql =
        "SELECT d.job FROM job_decisions d JOIN jobs j ON j.key = d.job WHERE d.reuse_key = @key AND j.status = 'Completed' ORDER BY d.reason = 'Reused', d.seq DESC LIMIT 3";

    private const string Earlier = "SELECT d.job, d.reuse_key AS ReuseKey, d.facts, j.status FROM job_decisions d JOIN jobs j ON j.key = d.job WHERE ";

    private const string Newest = " AND d.job <> @job AND d.facts IS NOT NULL ORDER BY d.seq DESC LIMIT 8";

    private static readonly string[] ByNode = ["d.node = @node"];

    private static readonly string[] ByComponent = ["d.component = @component AND d.node = @node", "d.component = @component", .. ByNode];

    /// <summary>Completed runs that saw the same, originals before those that were reused themselves.</summary>
    public static IReadOnlyList<string> Candidates(WriteScope scope, string key) => scope.Query<string>(CandidatesSql, new { key });

    /// <summary>The nearest earlier run: of the same component in the same step, else of the same component, else of the same step; completed ones first.</summary>
    public static EarlierRun? Nearest(WriteScope scope, JobRow step, string? component)
    {
        var same = new { node = NodeOf(step), component, job = step.JobId.Key };
        return Nearest(component, sql => scope.Query<EarlierRun>(sql, same));
    }

    /// <summary>As above, for a step that is not stored: <paramref name="query"/> answers SQL with the parameters node, component and job.</summary>
    public static EarlierRun? Nearest(string? component, Func<string, IReadOnlyList<EarlierRun>> query)
    {
        foreach (var where in component is null ? ByNode : ByComponent)
        {
            if (query(Earlier + where + Newest) is { Count: > 0 } found)
            {
                return found.FirstOrDefault(run => run.Status == JobStatus.Completed) ?? found[0];
            }
        }

        return null;
    }

    public static void Save(WriteScope scope, JobRow step, Decision decision) => scope.Execute(
        "INSERT OR REPLACE INTO job_decisions (job, node, component, reuse_key, reason, compared, differences, facts, decided) "
        + "VALUES (@job, @node, @component, @key, @reason, @compared, @differences, @facts, @now)",
        new
        {
            job = step.JobId.Key,
            node = NodeOf(step),
            component = step.ReadPlan().Reuse?.Component,
            key = decision.Key,
            reason = decision.Reason.ToString(),
            compared = decision.Compared,
            differences = decision.Differences.Count == 0 ? null : JsonSerializer.Serialize(decision.Differences, JobsJson.Default.IReadOnlyListStepDifference),
            facts = decision.Facts is null ? null : JsonSerializer.Serialize(decision.Facts, JobsJson.Default.StepFacts),
            now = scope.Now.ToUnixTimeMilliseconds(),
        });

    /// <summary>What differs, with what was found in the manifests.</summary>
    public static void SetDifferences(WriteScope scope, string job, IReadOnlyList<StepDifference> differences) => scope.Execute(
        "UPDATE job_decisions SET differences = @differences WHERE job = @job",
        new { job, differences = JsonSerializer.Serialize(differences, JobsJson.Default.IReadOnlyListStepDifference) });

    /// <summary>The step's outputs are not to be reused.</summary>
    public static void Withdraw(WriteScope scope, ArmId job) => scope.Execute("UPDATE job_decisions SET reuse_key = NULL WHERE job = @key", new { key = job.Key });

    /// <summary>Notes where an output of the tree lies that was planned for another place.</summary>
    public static void AddMove(WriteScope scope, string root, string planned, PlannedOutput place) => scope.Execute(
        "INSERT OR REPLACE INTO job_moves (root, planned, place) VALUES (@root, @planned, @place)",
        new { root, planned, place = JsonSerializer.Serialize(place, JobsJson.Default.PlannedOutput) });

    public static PlannedOutput? Moved(WriteScope scope, string root, string planned) =>
        scope.QueryFirstOrDefault<string>("SELECT place FROM job_moves WHERE root = @root AND planned = @planned", new { root, planned }) is { } place
            ? JsonSerializer.Deserialize(place, JobsJson.Default.PlannedOutput)
            : null;

    public static void SetReused(WriteScope scope, ArmId job, string original) =>
        scope.Execute("UPDATE jobs SET reused_from = @original, environment_lock = (SELECT environment_lock FROM jobs WHERE key = @original) WHERE key = @key", new { key = job.Key, original });

    /// <summary>The outputs of a job.</summary>
    public static IReadOnlyList<OutputRow> Outputs(WriteScope scope, string job) =>
        scope.Query<OutputRow>($"SELECT {OutputRow.Columns} FROM job_outputs WHERE job = @job", new { job });

    /// <summary>The place of a step in its pipeline, by names, in its workspace and experiment.</summary>
    public static string NodeOf(JobRow step) => NodeOf(step.JobId, step.ReadPlan(), step.Step);

    /// <summary>As above, for the plan of a job that has the id; <paramref name="step"/> is its name in its pipeline.</summary>
    public static string NodeOf(ArmId job, JobPlan plan, string? step)
    {
        var root = plan.Root ?? "";
        var name = job.Name.StartsWith(root + "_", StringComparison.OrdinalIgnoreCase) ? job.Name[(root.Length + 1)..] : step ?? job.Name;
        return $"{JobRow.WorkspaceOf(job).Id.Key}|{plan.Experiment}|{name}";
    }

    /// <summary>The key of the pipeline at the root of a step's tree.</summary>
    public static string? RootOf(JobRow step) => step.ReadPlan().Root is { } root ? step.Workspace.Child("jobs", root).Key : null;
}
