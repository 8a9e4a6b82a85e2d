using System.Globalization;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Storage;
using Zaffre.Tracking;
using Zaffre.Web;

namespace Zaffre.Jobs.Differences;

/// <summary>What runs of jobs were made from, for those who compare runs.</summary>
internal sealed class JobOrigins(JobTable jobs, JobDocuments documents, JobTrees trees, IContentDigests digests) : IRunOrigins
{
    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> FactsAsync(WorkspaceRef workspace, IReadOnlyList<string> runs, CancellationToken ct)
    {
        var found = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var run in runs)
        {
            if (await jobs.FindAsync(workspace.Child("jobs", run), ct) is { } job)
            {
                found[run] = job.IsPipeline ? await OfPipelineAsync(job, ct) : await OfCommandAsync(job, ct);
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<RunDifference>> DifferencesAsync(WorkspaceRef workspace, string left, string right, CancellationToken ct)
    {
        if (await jobs.FindAsync(workspace.Child("jobs", left), ct) is not { } one || await jobs.FindAsync(workspace.Child("jobs", right), ct) is not { } other)
        {
            return [];
        }

        return [.. (await trees.CompareAsync(one, other, ends: false, ct)).Select(at => new RunDifference(at.Step, at.Difference.Aspect, at.Difference.What, at.Difference.Left, at.Difference.Right))];
    }

    private async Task<Dictionary<string, string>> OfCommandAsync(JobRow job, CancellationToken ct)
    {
        var plan = job.ReadPlan();
        var facts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["kind"] = job.Kind,
            ["command"] = plan.Command,
            ["environment"] = Named(plan.Environment),
            ["compute"] = new ArmId(plan.Compute).Name,
            ["instances"] = plan.Slots.ToString(CultureInfo.InvariantCulture),
        };
        if (plan.Code is { } code)
        {
            var content = await digests.OfAsync(code, ct);
            facts["code"] = string.Create(CultureInfo.InvariantCulture, $"sha256 {content.Sha256}, {content.Files} files");
        }

        if (job.EnvironmentLock is { } locked)
        {
            facts["environment lock"] = locked;
        }

        if (plan.Timeout is { } timeout)
        {
            facts["timeout"] = timeout.ToString();
        }

        Add(facts, "input.", JobComparison.Inputs(plan));
        Add(facts, "variable.", plan.Variables);
        return facts;
    }

    private async Task<Dictionary<string, string>> OfPipelineAsync(JobRow job, CancellationToken ct)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal) { ["kind"] = job.Kind };
        Add(facts, "input.", JobComparison.Inputs(await documents.FindAsync(job, ct) ?? []));
        var steps = await jobs.StepsAsync(job.JobId, ct);
        facts["steps"] = string.Join(", ", steps.Select(step => step.Step ?? step.Name).Order(StringComparer.Ordinal));
        foreach (var step in steps.Where(step => !step.IsPipeline))
        {
            Add(facts, $"step {step.Step ?? step.Name}.", await OfCommandAsync(step, ct));
        }

        return facts;
    }

    private static void Add(Dictionary<string, string> facts, string prefix, IReadOnlyDictionary<string, string> values)
    {
        foreach (var (name, value) in values)
        {
            facts[prefix + name] = value;
        }
    }

    /// <summary>As <c>name:version</c> of an asset's id.</summary>
    private static string Named(string id) => id.Split('/') is [.., var name, "versions", var version] ? $"{name}:{version}" : id;
}
