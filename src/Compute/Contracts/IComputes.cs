using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Compute;

/// <summary>A compute that tasks run on.</summary>
public sealed record ComputeTarget
{
    public required ArmId Id { get; init; }

    public string Name => Id.Name;

    /// <summary><c>AmlCompute</c> or <c>ComputeInstance</c>.</summary>
    public required string ComputeType { get; init; }

    /// <summary>Tasks at once: an AmlCompute's largest node count, 1 for an instance.</summary>
    public required int MaxNodes { get; init; }

    /// <summary>What one node of its size may use of this host; the defaults of a task's limits.</summary>
    public required TaskLimits NodeLimits { get; init; }
}

/// <summary>A place to run, given back by disposing; disposing twice does nothing.</summary>
public sealed class ComputeSlot(Action release) : IDisposable
{
    private Action? release = release;

    /// <summary>The run that uses the place, once there is one: what <c>listNodes</c> shows.</summary>
    public string? Run { get; set; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref release, null)?.Invoke();
}

/// <summary>The computes of a workspace and their admission. Thread safe.</summary>
public interface IComputes
{
    /// <summary>
    /// Finds a compute by resource id, <c>azureml:name</c> or plain name; null or empty means <c>serverless</c>. An unknown one is
    /// <see cref="ProblemKind.NotFound"/> with the names that exist, a stopped instance <see cref="ProblemKind.Conflict"/>.
    /// </summary>
    Task<Outcome<ComputeTarget>> FindAsync(WorkspaceRef workspace, string? compute, CancellationToken ct);

    /// <summary>
    /// Waits for a free place on the compute and on this host, first come first served within a compute. <paramref name="nodes"/> is the
    /// number of places wanted, capped to what the compute has.
    /// </summary>
    Task<ComputeSlot> AdmitAsync(ComputeTarget target, int nodes, CancellationToken ct);

    /// <summary>Takes a place without waiting, beyond the limit if need be: for tasks found running after a restart.</summary>
    ComputeSlot Readmit(ComputeTarget target, int nodes);
}
