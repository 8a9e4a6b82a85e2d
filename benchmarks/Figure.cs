using System.Globalization;

namespace Zaffre.Benchmarks;

/// <summary>
/// One measured figure, as it is written to <c>artifacts/bench/NAME.json</c>. <see cref="Met"/> is null for a figure without a
/// budget. <see cref="Peer"/> is what the peer needed in the same run; budgets that are absolute have none.
/// </summary>
internal sealed record Figure(string Name, double Value, string Unit)
{
    public double? Peer { get; init; }

    public string? PeerName { get; init; }

    public double? Ratio { get; init; }

    public double? Budget { get; init; }

    public bool? Met { get; init; }

    /// <summary>How many runs <see cref="Value"/> is the median of.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>The largest minus the smallest of the runs, in <see cref="Unit"/>.</summary>
    public double Spread { get; init; }

    /// <summary>The median of several runs.</summary>
    public static Figure Of(string name, string unit, IReadOnlyCollection<double> runs) => new(name, Round(Percentile(runs, 0.5)), unit)
    {
        Runs = runs.Count,
        Spread = Round(runs.Max() - runs.Min()),
    };

    /// <summary>This figure beside what a peer needed in the same runs: its median, and how many times as much that is. A run without the peer leaves it out.</summary>
    public Figure Beside(string peerName, IReadOnlyCollection<double?> peer)
    {
        if (peer.Count == 0 || peer.Any(value => value is null))
        {
            return this with { PeerName = peerName };
        }

        var median = Round(Percentile(peer.Select(value => value!.Value), 0.5));
        return this with { PeerName = peerName, Peer = median, Ratio = Round(median / Value) };
    }

    /// <summary>The nearest-rank percentile.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
    }

    public override string ToString()
    {
        var verdict = Met switch { true => "met", false => "NOT MET", null => "" };
        return string.Create(CultureInfo.InvariantCulture, $"{Name,-34} {Value,10:0.###} {Unit,-3} | {Text(Peer)} {PeerName} | {Text(Ratio)} | {Text(Budget)} {verdict}");
    }

    private static string Text(double? value) => value?.ToString("0.###", CultureInfo.InvariantCulture) ?? "-";

    private static double Round(double value) => Math.Round(value, 4);
}
