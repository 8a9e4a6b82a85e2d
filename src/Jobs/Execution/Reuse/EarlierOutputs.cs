using Zaffre.Jobs.Data;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Whether a run's outputs can be those of another step.</summary>
internal static class EarlierOutputs
{
    /// <summary>
    /// What is wrong with a run's outputs, empty when each is what it was when the run ended; null when <paramref name="look"/> could not tell of one and nothing else is wrong.
    /// </summary>
    public static async Task<string?> ProblemAsync(JobTable jobs, JobRow run, Func<BlobAddress, Task<FolderDigest?>> look, CancellationToken ct)
    {
        var places = run.ReadPlan().Outputs;
        var told = true;
        foreach (var output in await jobs.OutputsAsync(run.JobId, ct))
        {
            if (output.Sha256 is null || !places.TryGetValue(output.Name, out var place))
            {
                return $"it is not known what the output '{output.Name}' of the job {run.Name} was";
            }

            if (await look(place.Blob) is not { } now)
            {
                told = false;
            }
            else if (now.Sha256 != output.Sha256)
            {
                return $"the output '{output.Name}' of the job {run.Name} was {(now.Files == 0 ? "deleted" : "changed")}";
            }
        }

        return told ? "" : null;
    }
}
