using System.Runtime.InteropServices;

namespace Zaffre.Compute.Computes;

/// <summary>What a task takes of the host for as long as it lives.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct HostNeed(int Places, long MemoryBytes, int Gpus)
{
    public static HostNeed operator +(HostNeed one, HostNeed other) => new(one.Places + other.Places, one.MemoryBytes + other.MemoryBytes, one.Gpus + other.Gpus);

    public static HostNeed operator -(HostNeed one, HostNeed other) => new(one.Places - other.Places, one.MemoryBytes - other.MemoryBytes, one.Gpus - other.Gpus);

    public bool FitsIn(HostNeed most) => Places <= most.Places && MemoryBytes <= most.MemoryBytes && Gpus <= most.Gpus;
}

/// <summary>
/// The host's places, memory and GPUs, shared by its computes. Who does not fit waits in line; one further behind that fits may pass it, but
/// only <see cref="MostPassed"/> times: then nobody passes, what runs drains, and the first in line fits. Thread safe.
/// </summary>
internal sealed class Admission(HostNeed most)
{
    /// <summary>How often one in line may be passed.</summary>
    public const int MostPassed = 16;

    private readonly Lock gate = new();
    private readonly List<Waiting> line = [];
    private HostNeed taken;

    public HostNeed Taken
    {
        get
        {
            lock (gate)
            {
                return taken;
            }
        }
    }

    public HostNeed Most => most;

    /// <summary>
    /// Takes what is needed, or lines <paramref name="who"/> up and returns false; it is woken when trying again may succeed. A
    /// <paramref name="bypass"/> is a try with something smaller than what it waits for: it keeps its place in line with what it waits for.
    /// </summary>
    public bool TryTake(IPlaceWaiter who, HostNeed need, bool bypass = false)
    {
        lock (gate)
        {
            need = Capped(need);
            var at = line.FindIndex(waiting => waiting.Who == who);
            var before = at < 0 ? line.Count : at;
            if (!Fits(need) || !MayPass(before))
            {
                LineUp(who, at, need, bypass);
                return false;
            }

            for (var i = 0; i < before; i++)
            {
                line[i].Passed++;
            }

            taken += need;
            if (at >= 0 && !bypass)
            {
                line.RemoveAt(at);
            }

            WakeFitting();
            return true;
        }
    }

    /// <summary>Takes it beyond the limit if need be.</summary>
    public HostNeed TakeNow(HostNeed need)
    {
        lock (gate)
        {
            need = Capped(need);
            taken += need;
            return need;
        }
    }

    public void Give(HostNeed need)
    {
        lock (gate)
        {
            taken -= Capped(need);
            WakeFitting();
        }
    }

    /// <summary>Leaves the line.</summary>
    public void Withdraw(IPlaceWaiter who)
    {
        lock (gate)
        {
            if (line.RemoveAll(waiting => waiting.Who == who) > 0)
            {
                WakeFitting();
            }
        }
    }

    // More than the whole host has is the whole host: what a size promises beyond it, the launcher cannot keep either.
    private HostNeed Capped(HostNeed need) => new(Math.Min(need.Places, most.Places), Math.Min(need.MemoryBytes, most.MemoryBytes), Math.Min(need.Gpus, most.Gpus));

    private bool Fits(HostNeed need) => (taken + need).FitsIn(most);

    private bool MayPass(int before)
    {
        for (var i = 0; i < before; i++)
        {
            if (Fits(line[i].Need))
            {
                line[i].Who.Wake();
                return false;
            }

            if (line[i].Passed >= MostPassed)
            {
                return false;
            }
        }

        return true;
    }

    private void LineUp(IPlaceWaiter who, int at, HostNeed need, bool bypass)
    {
        if (at < 0)
        {
            line.Add(new Waiting(who) { Need = need });
        }
        else if (!bypass)
        {
            line[at].Need = need;
        }
    }

    private void WakeFitting()
    {
        foreach (var waiting in line.Where(waiting => Fits(waiting.Need)))
        {
            waiting.Who.Wake();
        }
    }

    private sealed class Waiting(IPlaceWaiter who)
    {
        public IPlaceWaiter Who => who;

        public HostNeed Need { get; set; }

        public int Passed { get; set; }
    }
}
