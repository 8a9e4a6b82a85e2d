using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Zaffre.Web;

namespace Zaffre.Compute.Computes;

/// <summary>A place that is taken: its number within the compute, and the run that uses it (null while it prepares).</summary>
internal sealed record OccupiedNode(int Number, string? Run);

/// <summary>Which places of the computes are taken by what. A place's number is the lowest that was free. Thread safe.</summary>
internal sealed class Occupancy
{
    private readonly ConcurrentDictionary<string, SortedDictionary<int, ComputeSlot>> taken = new(StringComparer.Ordinal);

    /// <summary>Takes <paramref name="places"/> of <paramref name="most"/> for a slot; false, and no slot, when they are not free.</summary>
    public bool TryEnter(ArmId compute, int places, int most, Func<ComputeSlot> make, [NotNullWhen(true)] out ComputeSlot? slot)
    {
        var nodes = taken.GetOrAdd(compute.Key, _ => []);
        lock (nodes)
        {
            if (nodes.Count + places > most)
            {
                slot = null;
                return false;
            }

            slot = make();
            for (var number = 0; places > 0; number++)
            {
                if (nodes.TryAdd(number, slot))
                {
                    places--;
                }
            }

            return true;
        }
    }

    public void Leave(ArmId compute, ComputeSlot slot)
    {
        if (taken.TryGetValue(compute.Key, out var nodes))
        {
            lock (nodes)
            {
                foreach (var number in nodes.Where(pair => pair.Value == slot).Select(pair => pair.Key).ToArray())
                {
                    nodes.Remove(number);
                }
            }
        }
    }

    public IReadOnlyList<OccupiedNode> Of(ArmId compute)
    {
        if (!taken.TryGetValue(compute.Key, out var nodes))
        {
            return [];
        }

        lock (nodes)
        {
            return [.. nodes.Select(pair => new OccupiedNode(pair.Key, pair.Value.Run))];
        }
    }
}
