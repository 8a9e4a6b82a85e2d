using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Ends a step with the outputs of another run: they stay where they are, and everything that reads them is pointed there.</summary>
internal sealed class ReusedStep(JobEnding ending)
{
    /// <summary>Writes the end, as that of any step that completed. Throws a problem when a named output cannot be registered.</summary>
    public void End(WriteScope scope, JobRow step, JobRow original)
    {
        var (plan, places) = (step.ReadPlan(), original.ReadPlan().Outputs);
        var root = ReuseWrites.RootOf(step)!;
        var published = new List<PublishedOutput>();
        foreach (var output in ReuseWrites.Outputs(scope, original.JobId.Key).Where(output => output.Sha256 is not null))
        {
            if (!plan.Outputs.TryGetValue(output.Name, out var planned) || !places.TryGetValue(output.Name, out var lies))
            {
                continue;
            }

            var place = planned with { Blob = lies.Blob, Uri = lies.Uri };
            published.Add(new PublishedOutput(output.Name, new FolderDigest(output.Sha256!, output.Files ?? 0, output.Bytes ?? 0))
            {
                Value = output.Value,
                Place = place.Uri == planned.Uri ? null : place,
            });
            if (place.Uri != planned.Uri)
            {
                ReuseWrites.AddMove(scope, root, planned.Uri, place);
            }
        }

        var first = original.ReusedFrom is { } earlier && StepWrites.FindByKey(scope, earlier) is { } known ? known : original;
        ReuseWrites.SetReused(scope, step.JobId, first.JobId.Key);
        JobWrites.SetStarted(scope, step.JobId, scope.Now, []);
        ending.EndNow(scope, step, new Verdict(JobStatus.Completed, null, null, null), published);
    }
}
