using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// Submits a job once more, as it was: its document, and for every reference without a version the version that was taken then. It is a submission
/// like any other: the caller's rights, the checks and the errors are the same.
/// </summary>
internal sealed class JobRepetition(JobTable jobs, JobDocuments documents, JobSubmission submission, LookupSources sources, LockTable locks)
{
    /// <summary>The new job; a NotFound problem when there is no job of that name, else what any submission answers.</summary>
    public async Task<Outcome<Resource>> AgainAsync(WorkspaceRef workspace, ArmId job, RerunRequest wanted, Caller caller, CancellationToken ct)
    {
        if (await jobs.FindAsync(job, ct) is not { } row || await documents.FindAsync(row, ct) is not { } document)
        {
            return ArmErrors.NotFound(job);
        }

        var name = wanted.Name ?? NameFor(job.Name);
        var plan = row.ReadPlan();
        var root = plan.Root is null ? plan : (await jobs.FindAsync(workspace.Child("jobs", plan.Root), ct))?.ReadPlan();
        var planning = new Planning(workspace, name, caller, new Findings(), new Lookups(sources, root?.Pins)) { Repeats = await RepeatedAsync(row, plan, wanted, ct) };
        return await submission.CreateAsync(planning, workspace.Child("jobs", name), Body(document, wanted), ct);
    }

    private async Task<Repeated> RepeatedAsync(JobRow row, JobPlan plan, RerunRequest wanted, CancellationToken ct)
    {
        var seed = plan.Seed is { } first ? first with { Below = first.WayOf(plan.Root ?? row.Name, row.Name) } : null;
        return wanted.EnvironmentAsNow
            ? new Repeated(row.Name, seed)
            : new Repeated(row.Name, seed) { Lock = row.EnvironmentLock ?? plan.EnvironmentLock, Steps = row.IsPipeline ? await locks.BelowAsync(row.JobId, ct) : [] };
    }

    private static JsonObject Body(JsonObject document, RerunRequest wanted)
    {
        var properties = document["properties"]!.AsObject();
        foreach (var (member, value) in new[] { ("displayName", wanted.DisplayName), ("experimentName", wanted.ExperimentName) })
        {
            if (value is not null)
            {
                properties[member] = value;
            }
        }

        properties.Remove("isArchived");
        if (properties["jobs"] is null && properties["command"] is not null)
        {
            // A step says which component it is of, and has all of it.
            properties.Remove("componentId");
        }

        OfItsOwn(properties);
        foreach (var (_, node) in properties["jobs"] as JsonObject ?? [])
        {
            OfItsOwn(node as JsonObject ?? []);
        }

        return document;
    }

    /// <summary>What the first run wrote stays: a place of its own in place of a fixed one, the next version in place of the same.</summary>
    private static void OfItsOwn(JsonObject jobOrNode)
    {
        foreach (var output in (jobOrNode["outputs"] as JsonObject ?? []).Select(pair => pair.Value).OfType<JsonObject>())
        {
            if (output.Text("uri") is { } uri && !uri.Contains("${{name}}", StringComparison.Ordinal))
            {
                output.Remove("uri");
            }

            output.Remove("assetVersion");
            output.Remove("asset_version");
        }
    }

    private static string NameFor(string job)
    {
        const int room = 255 - 15;
        return $"{(job.Length > room ? job[..room] : job)}_rerun_{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
    }
}

/// <summary>What a repetition is called; null members are taken over, the name is made.</summary>
internal sealed record RerunRequest(string? Name, string? DisplayName, string? ExperimentName)
{
    /// <summary>The environment's version of then with whatever packages it leads to now, instead of the packages of then.</summary>
    public bool EnvironmentAsNow { get; init; }
}
