using System.Text;
using Zaffre.Compute;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;

namespace Zaffre.Jobs.Execution;

/// <summary>The environment of a job made real. When that took a build, its log is kept among the job's, where Azure ML has it.</summary>
internal sealed class JobEnvironments(IEnvironments environments, IBlobStore store, LockTable locks)
{
    /// <summary>The log of the build below the job's artifacts.</summary>
    public const string BuildLog = "azureml-logs/20_image_build_log.txt";

    public async Task<Outcome<RealEnvironment>> ResolveAsync(JobRow job, JobPlan plan, string compute, CancellationToken ct)
    {
        string? build = null;
        var held = plan.EnvironmentLock is { } digest ? await locks.FindAsync(digest, ct) : null;
        if (held is null && plan.EnvironmentLock is { } lost)
        {
            return new Problem(ProblemKind.Invalid, "EnvironmentNotSatisfied", $"The job is held to the environment lock {lost}, and this server does not know it.");
        }

        var resolved = await environments.ResolveAsync(
            new EnvironmentRequest { Document = plan.EnvironmentDocument, Workspace = job.Workspace, Compute = compute, Lock = held, Building = key => build = key }, ct);
        if (build is not null && environments.ReadBuildLog(build) is { } log)
        {
            using var text = new MemoryStream(Encoding.UTF8.GetBytes(log));
            await store.PutAsync(plan.Artifacts.Child(BuildLog), text, new BlobWrite { ContentType = "text/plain" }, CancellationToken.None);
        }

        return resolved;
    }
}
