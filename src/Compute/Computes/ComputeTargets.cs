using Zaffre.Compute.Launch;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <inheritdoc cref="IComputes"/>
internal sealed class ComputeTargets(IResources resources, ComputeOptions options, ComputeSizes sizes, HostGpus gpus) : IComputes
{
    private readonly Occupancy occupancy = new();
    private readonly Admission host = new(new HostNeed(options.Slots ?? Math.Max(8, 4 * Environment.ProcessorCount), HostLimits.Most, gpus.Count));

    public async Task<Outcome<ComputeTarget>> FindAsync(WorkspaceRef workspace, string? compute, CancellationToken ct)
    {
        if (!TryName(workspace, compute, out var name) || await resources.FindAsync(workspace.Child("computes", name), ct) is not { } found)
        {
            var known = await resources.ListAsync(new ResourceQuery { Parent = workspace.Id, Type = "computes", Top = 50 }, ct);
            return new Problem(ProblemKind.NotFound, "ComputeNotFound", $"There is no compute '{compute}' in this workspace. It has: {string.Join(", ", known.Items.Select(c => c.Id.Name))}.");
        }

        var inner = found.Properties.Object("properties") ?? [];
        if (ComputeBody.IsAttached(found.Properties))
        {
            return Attached(found);
        }

        var isInstance = ComputeBody.IsInstance(found.Properties);
        if (isInstance && inner.Text("state") == "Stopped")
        {
            return new Problem(ProblemKind.Conflict, "ComputeStopped", $"The compute instance '{found.Id.Name}' is stopped. Start it first.");
        }

        return Target(found, inner.Text("vmSize"), isInstance ? 1 : (int?)inner.Object("scaleSettings")?["maxNodeCount"] ?? 1);
    }

    private Outcome<ComputeTarget> Attached(Resource found) => sizes.Attached(found.Properties.Text("resourceId") ?? "").Then<ComputeTarget>(host => host is { Places: > 0 } here
        ? Target(found, here.Size, here.Places)
        : new Problem(ProblemKind.Unsupported, "OperationNotSupported", $"The compute '{found.Id.Name}' is an attached {ComputeBody.KindOf(found.Properties)}, and tasks run on this server's own host only. Use another compute, or let the server's operator say in compute.yml that this machine is the host."));

    private Outcome<ComputeTarget> Target(Resource found, string? sizeName, int nodes)
    {
        if (!sizes.Find(sizeName).TryGet(out var size, out var unreadable))
        {
            return unreadable;
        }

        return size.Gpus > host.Most.Gpus
            ? new Problem(ProblemKind.Invalid, "GpusMissing", $"A node of the size '{size.Name}' of '{found.Id.Name}' has {size.Gpus} GPUs, and this host has {host.Most.Gpus}.")
            : new ComputeTarget
            {
                Id = found.Id,
                ComputeType = ComputeBody.KindOf(found.Properties) ?? ComputeBody.AmlCompute,
                MaxNodes = nodes,
                MostAtOnce = Math.Min(nodes, host.Most.Places),
                NodeLimits = ComputeSizes.LimitsOf(size),
                Size = sizeName,
                ReservedBytes = size.Reserves ? (long)size.MemoryGb << 30 : 0,
                Gpus = size.Gpus,
            };
    }

    public Admittance TryAdmit(ComputeTarget target, int nodes, IPlaceWaiter waiter, bool bypass)
    {
        var places = Places(target, nodes);
        var need = Need(target, places);
        if (!occupancy.TryEnter(target.Id, places, Math.Max(1, target.MaxNodes), () => Slot(target, places, need), out var slot))
        {
            return new Admittance(null, WaitsForHost: false);
        }

        if (host.TryTake(waiter, need, bypass))
        {
            return new Admittance(slot, WaitsForHost: false);
        }

        occupancy.Leave(target.Id, slot);
        return new Admittance(null, WaitsForHost: true);
    }

    public void Withdraw(IPlaceWaiter waiter) => host.Withdraw(waiter);

    public ComputeSlot Readmit(ComputeTarget target, int nodes)
    {
        var places = Places(target, nodes);
        var need = host.TakeNow(Need(target, places));
        occupancy.TryEnter(target.Id, places, int.MaxValue, () => Slot(target, places, need), out var slot);
        return slot!;
    }

    /// <summary>The places of a compute that are taken.</summary>
    public IReadOnlyList<OccupiedNode> TasksOn(ArmId compute) => occupancy.Of(compute);

    /// <summary>Tasks at once on this host: now, and at most.</summary>
    public (int Now, int Most) HostPlaces => (host.Taken.Places, host.Most.Places);

    /// <summary>Throws a conflict while something runs on the compute.</summary>
    public void RequireIdle(ArmId compute)
    {
        if (occupancy.Of(compute) is { Count: > 0 } tasks)
        {
            var runs = string.Join(", ", tasks.Select(task => task.Run).OfType<string>().Distinct().Take(10));
            throw new ProblemException(ArmErrors.Conflict($"The compute '{compute.Name}' is in use{(runs.Length > 0 ? $" by {runs}" : "")}. Cancel what runs on it or wait for its end.", "ComputeInUse"));
        }
    }

    // What is taken is what is given back, so both counters see the same number.
    private int Places(ComputeTarget target, int nodes) => Math.Clamp(nodes, 1, Math.Max(1, Math.Min(target.MaxNodes, host.Most.Places)));

    private static HostNeed Need(ComputeTarget target, int places) => new(places, target.ReservedBytes * places, target.Gpus * places);

    private ComputeSlot Slot(ComputeTarget target, int places, HostNeed need)
    {
        ComputeSlot? slot = null;
        slot = new ComputeSlot(() =>
        {
            occupancy.Leave(target.Id, slot!);
            host.Give(need);
        })
        {
            Places = places,
        };
        return slot;
    }

    private static bool TryName(WorkspaceRef workspace, string? compute, out string name)
    {
        if (string.IsNullOrEmpty(compute))
        {
            name = ComputeSeed.Serverless;
            return true;
        }

        if (WorkspaceRef.TryParse(compute, out var other, out var rest))
        {
            name = rest.StartsWith("computes/", StringComparison.OrdinalIgnoreCase) ? rest["computes/".Length..] : "";
            return name.Length > 0 && other.Id == workspace.Id;
        }

        name = compute.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) ? compute["azureml:".Length..] : compute;
        return name.Length > 0 && !name.Contains('/', StringComparison.Ordinal);
    }
}
