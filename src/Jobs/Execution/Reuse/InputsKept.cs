using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>
/// What a job that ended leaves for those that come: digests of its outputs, before anybody looks at them. When an input is not what it was when the step
/// was decided, the step read nobody knows what, and must not be reused.
/// </summary>
internal sealed class InputsKept(IDatabase database, IBlobStore store, IContentDigests digests, DifferenceDetails decisions, ReuseGate gate)
{
    public async Task<Outcome<PublishedOutput[]>> PublishAsync(JobRow job, JobPlan plan, IReadOnlyDictionary<string, string> told)
    {
        var outcome = await PublishedOutput.OfAsync(plan, store, digests, told, CancellationToken.None);
        if (outcome.TryGet(out var published, out _) && ReuseWrites.RootOf(job) is { } root)
        {
            foreach (var output in published)
            {
                gate.Find(root)?.Keep(plan.Outputs[output.Name].Blob, output.Digest);
            }

            await CheckAsync(job);
        }

        return outcome;
    }

    private async Task CheckAsync(JobRow job)
    {
        if ((await decisions.FindAsync(job.JobId.Key, CancellationToken.None))?.ReadFacts() is not { } facts)
        {
            return;
        }

        foreach (var input in facts.Inputs.Values)
        {
            if (input is { At: { } place, Digest: { } digest } && (await digests.OfAsync(place, CancellationToken.None)).Sha256 != digest)
            {
                await database.WriteAsync(scope => ReuseWrites.Withdraw(scope, job.JobId), CancellationToken.None);
                return;
            }
        }
    }
}
