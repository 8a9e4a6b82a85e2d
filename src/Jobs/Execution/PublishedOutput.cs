using Zaffre.Jobs.Submission;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution;

/// <summary>What lies in an output when the job ended.</summary>
internal sealed record PublishedOutput(string Name, FolderDigest Digest)
{
    /// <summary>Digests every output that the server holds.</summary>
    public static async Task<PublishedOutput[]> OfAsync(JobPlan plan, IBlobStore store, CancellationToken ct)
    {
        var published = new List<PublishedOutput>();
        foreach (var (name, output) in plan.Outputs)
        {
            published.Add(new PublishedOutput(name, await store.DigestAsync(output.Blob, ct)));
        }

        return [.. published];
    }
}
