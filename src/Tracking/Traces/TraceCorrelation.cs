namespace Zaffre.Tracking.Traces;

/// <summary>
/// How two properties of traces go together: normalized pointwise mutual information, from -1 (never together) over 0 (independent) to 1 (always together). NaN where
/// nothing can be said.
/// </summary>
internal sealed record TraceCorrelation(long Total, long First, long Second, long Joint)
{
    /// <summary>Jeffreys' prior, added to each of the four counts.</summary>
    private const double Prior = 0.5;

    /// <summary>From the counts as they are; -1 when both occur and never together.</summary>
    public double Npmi => !Defined ? double.NaN : Joint == 0 ? -1 : Information(0);

    /// <summary>With smoothing, which keeps few traces from looking certain.</summary>
    public double Smoothed => Defined ? Information(Prior) : double.NaN;

    private bool Defined => Total > 0 && First > 0 && Second > 0;

    private double Information(double smoothing)
    {
        var joint = Joint + smoothing;
        var first = First + (2 * smoothing);
        var second = Second + (2 * smoothing);
        var total = Total + (4 * smoothing);
        if (total - joint <= 1e-9 * total)
        {
            return 1;
        }

        var information = Math.Log(joint) + Math.Log(total) - Math.Log(first) - Math.Log(second);
        return Math.Clamp(information / (Math.Log(total) - Math.Log(joint)), -1, 1);
    }
}
