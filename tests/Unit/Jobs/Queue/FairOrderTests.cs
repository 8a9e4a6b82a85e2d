using Zaffre.Jobs.Execution;

namespace Zaffre.Tests.Unit.Jobs.Queue;

public sealed class FairOrderTests
{
    private readonly FairOrder order = new();

    [Fact]
    public void Who_has_fewest_places_goes_first_and_among_equals_whose_turn_is_longest_ago()
    {
        order.Waits(2, "a");
        order.Waits(2, "b");
        Assert.Equal(["a", "b"], Names());
        order.Took("a", 1);
        Assert.Equal(["b", "a"], Names());
        order.Took("b", 3);
        Assert.Equal(["a", "b"], Names());
        order.Gave("b", 3);
        Assert.Equal(["b", "a"], Names());
        order.Gave("a", 1);
        Assert.Equal(["a", "b"], Names());
    }

    [Fact]
    public void A_higher_rank_goes_first_whoever_has_it()
    {
        order.Waits(2, "a");
        order.Waits(12, "b");
        order.Took("b", 7);
        order.Waits(-18, "a");
        Assert.Equal([(12, "b"), (2, "a"), (-18, "a")], order.InOrder());
        order.WaitsNoMore(12, "b");
        Assert.Equal(["a", "a"], Names());
    }

    [Fact]
    public void Nothing_is_kept_of_who_neither_waits_nor_has_places()
    {
        order.Waits(2, "a");
        order.Took("a", 1);
        order.WaitsNoMore(2, "a");
        Assert.True(order.IsEmpty);
        order.Gave("a", 1);
        order.Gave("a", 1);
        order.WaitsNoMore(2, "a");
        order.Waits(2, "b");
        order.Took("b", 1);
        order.Waits(2, "a");
        Assert.Equal(["a", "b"], Names());
    }

    private string[] Names() => [.. order.InOrder().Select(turn => turn.Experiment)];
}
