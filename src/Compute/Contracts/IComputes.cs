using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Compute;

/// <summary>A compute that tasks run on.</summary>
public sealed record ComputeTarget
{
    public required ArmId Id { get; init; }

    public string Name => Id.Name;

    /// <summary><c>AmlCompute</c>, <c>ComputeInstance</c>, or the kind of an attached machine that is this host.</summary>
    public required string ComputeType { get; init; }

    /// <summary>Tasks at once: an AmlCompute's largest node count, 1 for an instance.</summary>
    public required int MaxNodes { get; init; }

    /// <summary>Places that one job can get at once: its nodes, as far as this host has places.</summary>
    public required int MostAtOnce { get; init; }

    /// <summary>What one node of its size may use of this host; the defaults of a task's limits.</summary>
    public required TaskLimits NodeLimits { get; init; }

    /// <summary>The name of its size.</summary>
    public string? Size { get; init; }

    /// <summary>Memory of the host that one node keeps for itself while it is taken, in bytes; 0 when its size promises none.</summary>
    public long ReservedBytes { get; init; }

    /// <summary>GPUs of the host that one node has for itself.</summary>
    public int Gpus { get; init; }
}

/// <summary>Places to run, given back by disposing; disposing twice does nothing.</summary>
public sealed class ComputeSlot(Action release) : IDisposable
{
    private Action? release = release;

    /// <summary>How many places of its compute it is.</summary>
    public int Places { get; init; }

    /// <summary>The run that uses the place, once there is one: what <c>listNodes</c> shows.</summary>
    public string? Run { get; set; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref release, null)?.Invoke();
}

/// <summary>Somebody who waits for places. <see cref="Wake"/> is called from any thread, more often than needed, and must be quick.</summary>
public interface IPlaceWaiter
{
    /// <summary>Trying again may succeed.</summary>
    void Wake();
}

/// <summary>The places, or null; then <paramref name="WaitsForHost"/> says whether the compute has places that the host has not.</summary>
public readonly record struct Admittance(ComputeSlot? Slot, bool WaitsForHost);

/// <summary>The computes of a workspace and their admission. Thread safe.</summary>
public interface IComputes
{
    /// <summary>
    /// Finds a compute by resource id, <c>azureml:name</c> or plain name; null or empty means <c>serverless</c>. An unknown one is
    /// <see cref="ProblemKind.NotFound"/> with the names that exist, a stopped instance <see cref="ProblemKind.Conflict"/>.
    /// </summary>
    Task<Outcome<ComputeTarget>> FindAsync(WorkspaceRef workspace, string? compute, CancellationToken ct);

    /// <summary>
    /// Takes <paramref name="nodes"/> places (capped to what the compute has) of the compute and of this host, with the memory and the GPUs
    /// of its size, when they are free. When only the host is too full, <paramref name="waiter"/> stands in line for it and is woken; who
    /// asks keeps watch over the compute's own places, which only its jobs take.
    /// </summary>
    Admittance TryAdmit(ComputeTarget target, int nodes, IPlaceWaiter waiter, bool bypass);

    /// <summary>The waiter wants nothing of the host any more.</summary>
    void Withdraw(IPlaceWaiter waiter);

    /// <summary>Takes a place without waiting, beyond the limit if need be: for tasks found running after a restart.</summary>
    ComputeSlot Readmit(ComputeTarget target, int nodes);
}
