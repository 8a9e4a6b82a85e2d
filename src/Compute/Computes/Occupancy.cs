using System.Collections.Concurrent;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>A place that is taken: its number within the compute, and the run that uses it (null while it prepares).</summary>
internal sealed record OccupiedNode(int Number, string? Run);

/// <summary>Which places of the computes are taken by what. A place's number is the lowest that was free. Thread safe.</summary>
internal sealed class Occupancy
{
    private readonly ConcurrentDictionary<string, Dictionary<ComputeSlot, int>> taken = new(StringComparer.Ordinal);

    public void Enter(ArmId compute, ComputeSlot slot)
    {
        var slots = taken.GetOrAdd(compute.Key, _ => []);
        lock (slots)
        {
            slots[slot] = Enumerable.Range(0, slots.Count + 1).First(number => !slots.ContainsValue(number));
        }
    }

    public void Leave(ArmId compute, ComputeSlot slot)
    {
        if (taken.TryGetValue(compute.Key, out var slots))
        {
            lock (slots)
            {
                slots.Remove(slot);
            }
        }
    }

    public IReadOnlyList<OccupiedNode> Of(ArmId compute)
    {
        if (!taken.TryGetValue(compute.Key, out var slots))
        {
            return [];
        }

        lock (slots)
        {
            return [.. slots.OrderBy(pair => pair.Value).Select(pair => new OccupiedNode(pair.Value, pair.Key.Run))];
        }
    }
}
