namespace Zaffre.Jobs.Execution;

/// <summary>
/// In which order the experiments that wait for one compute get its places: higher ranks first; within a rank the experiment that has the fewest
/// places now, among equals the one whose last turn is longest ago. Knows experiments, not jobs: its size is theirs. Not thread safe.
/// </summary>
internal sealed class FairOrder
{
    private readonly Dictionary<string, Share> shares = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, SortedSet<Share>> ranks = new(Comparer<int>.Create((one, other) => other.CompareTo(one)));
    private long turns;

    /// <summary>True when nobody waits.</summary>
    public bool IsEmpty => ranks.Count == 0;

    /// <summary>Who waits, in the order of turns. The order changes with the next call of any other method.</summary>
    public IEnumerable<(int Rank, string Experiment)> InOrder() => ranks.SelectMany(rank => rank.Value.Select(share => (rank.Key, share.Experiment)));

    /// <summary>The experiment has queued jobs of this rank.</summary>
    public void Waits(int rank, string experiment)
    {
        var share = ShareOf(experiment);
        if (share.Ranks.Add(rank))
        {
            if (!ranks.TryGetValue(rank, out var waiting))
            {
                ranks[rank] = waiting = new SortedSet<Share>(Share.Order);
            }

            waiting.Add(share);
        }
    }

    /// <summary>It has none any more.</summary>
    public void WaitsNoMore(int rank, string experiment)
    {
        if (shares.TryGetValue(experiment, out var share) && share.Ranks.Remove(rank))
        {
            ranks[rank].Remove(share);
            if (ranks[rank].Count == 0)
            {
                ranks.Remove(rank);
            }

            Forget(share);
        }
    }

    /// <summary>It had its turn and got places.</summary>
    public void Took(string experiment, int places) => Change(ShareOf(experiment), share =>
    {
        share.Places += places;
        share.LastTurn = ++turns;
    });

    /// <summary>It has given places back.</summary>
    public void Gave(string experiment, int places)
    {
        if (shares.TryGetValue(experiment, out var share))
        {
            Change(share, changed => changed.Places -= places);
            Forget(share);
        }
    }

    private Share ShareOf(string experiment) => shares.TryGetValue(experiment, out var share) ? share : shares[experiment] = new Share(experiment);

    // A sorted set must not see its members' keys change.
    private void Change(Share share, Action<Share> change)
    {
        foreach (var rank in share.Ranks)
        {
            ranks[rank].Remove(share);
        }

        change(share);
        foreach (var rank in share.Ranks)
        {
            ranks[rank].Add(share);
        }
    }

    private void Forget(Share share)
    {
        if (share is { Places: 0, Ranks.Count: 0 })
        {
            shares.Remove(share.Experiment);
        }
    }

    private sealed class Share(string experiment)
    {
        public static readonly Comparer<Share> Order = Comparer<Share>.Create((one, other) =>
            (one.Places, one.LastTurn).CompareTo((other.Places, other.LastTurn)) is not 0 and var order ? order : string.CompareOrdinal(one.Experiment, other.Experiment));

        public string Experiment => experiment;

        public HashSet<int> Ranks { get; } = [];

        public int Places { get; set; }

        public long LastTurn { get; set; }
    }
}
