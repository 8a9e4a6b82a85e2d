using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;

namespace Zaffre.Jobs.Differences;

/// <summary>Compares jobs with everything below them.</summary>
internal sealed class JobTrees(JobTable jobs, JobDocuments documents, JobComparison comparison)
{
    /// <summary>Everything that differs, step by step; <c>Step</c> is the way from the jobs to it. Without <paramref name="ends"/> only what they were made from counts.</summary>
    public async Task<IReadOnlyList<(string Step, Difference Difference)>> CompareAsync(JobRow left, JobRow right, bool ends, CancellationToken ct)
    {
        var found = new List<(string, Difference)>();
        await CompareAsync(found, "", (left, right), ends, ct);
        return found;
    }

    private async Task CompareAsync(List<(string Step, Difference Difference)> found, string way, (JobRow Left, JobRow Right) pair, bool ends, CancellationToken ct)
    {
        var (left, right) = pair;
        if (left.Kind != right.Kind)
        {
            found.Add((way, new Difference("step", "kind", left.Kind, right.Kind)));
            return;
        }

        if (!left.IsPipeline)
        {
            found.AddRange((await comparison.OfCommandsAsync(left, right, ends, ct)).Select(difference => (way, difference)));
            return;
        }

        var own = await comparison.OfPipelinesAsync((left, await documents.FindAsync(left, ct) ?? []), (right, await documents.FindAsync(right, ct) ?? []), ends, ct);
        found.AddRange(own.Select(difference => (way, difference)));
        var (old, now) = (await StepsAsync(left, ct), await StepsAsync(right, ct));
        foreach (var name in old.Keys.Union(now.Keys, StringComparer.Ordinal))
        {
            var step = way.Length == 0 ? name : $"{way}/{name}";
            if (old.TryGetValue(name, out var one) && now.TryGetValue(name, out var other))
            {
                await CompareAsync(found, step, (one, other), ends, ct);
            }
            else
            {
                found.Add((step, new Difference("step", name, old.GetValueOrDefault(name)?.Status, now.GetValueOrDefault(name)?.Status)));
            }
        }
    }

    private async Task<Dictionary<string, JobRow>> StepsAsync(JobRow pipeline, CancellationToken ct)
    {
        var steps = new Dictionary<string, JobRow>(StringComparer.Ordinal);
        foreach (var step in await jobs.StepsAsync(pipeline.JobId, ct))
        {
            steps[step.Step ?? step.Name] = step;
        }

        return steps;
    }
}
