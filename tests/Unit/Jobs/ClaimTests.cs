using Zaffre.Compute;
using Zaffre.Jobs.Execution;
using Zaffre.Web;

namespace Zaffre.Tests.Unit.Jobs;

public sealed class ClaimTests
{
    private static readonly ArmId Job = new("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/a");

    [Fact]
    public void A_job_is_held_once_and_again_after_it_was_given_back()
    {
        var claims = new Claims();
        var first = claims.TryTake(Job);
        Assert.NotNull(first);
        Assert.Null(claims.TryTake(new ArmId(Job.Value.ToUpperInvariant())));
        first.Dispose();
        Assert.NotNull(claims.TryTake(Job));
    }

    [Fact]
    public void Whoever_holds_the_job_learns_the_first_reason_to_stop()
    {
        var claims = new Claims();
        using var claim = claims.TryTake(Job);
        claims.AskStop(Job, StopReason.Canceled);
        claims.AskStop(Job, StopReason.Removed);
        Assert.True(claim!.Stop.Token.IsCancellationRequested);
        Assert.Equal(StopReason.Canceled, claim.Stop.Reason);
    }

    [Fact]
    public void A_scope_stops_what_is_below_it_and_nothing_beside_it()
    {
        var claims = new Claims();
        using var inside = claims.TryTake(Job);
        using var beside = claims.TryTake(new ArmId(Job.Parent.Value + "2/jobs/a"));
        claims.AskStopBelow(Job.Parent, StopReason.Removed);
        Assert.Equal((StopReason.Removed, (StopReason?)null), (inside!.Stop.Reason, beside!.Stop.Reason));
    }
}
