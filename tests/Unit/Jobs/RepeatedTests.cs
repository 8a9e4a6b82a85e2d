using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;

namespace Zaffre.Tests.Unit.Jobs;

/// <summary>What a job takes over from the one that it repeats.</summary>
public sealed class RepeatedTests
{
    [Theory]
    [InlineData("train", "e1", "c1", "by-step")]
    [InlineData("TRAIN", "e1", "c1", "by-step")]
    [InlineData("train", "e2", "c1", "other-environment")]
    [InlineData("loop_2", "e1", "c1", "by-step")]
    [InlineData("loop_2", "e1", "c2", "other-compute")]
    [InlineData("loop_2", "e3", "c1", null)]
    public void A_step_is_held_to_its_own_lock_else_to_that_of_the_same_environment_and_compute(string way, string environment, string compute, string? held)
    {
        var repeated = new Repeated("first", null)
        {
            Steps =
            [
                new StepLock("clean", "e1", "c1", "earlier"), new StepLock("train", "e1", "c1", "by-step"),
                new StepLock("test", "e2", "c1", "other-environment"), new StepLock("score", "e1", "c2", "other-compute"),
            ],
        };

        Assert.Equal(held, repeated.LockFor(way, environment, compute));
    }

    [Fact]
    public void Steps_have_seeds_of_their_own_which_a_repetition_has_again()
    {
        var seed = PlannedSeed.New();

        Assert.Equal(seed.Submission, seed.Of("pipe", "pipe"));
        Assert.NotEqual(seed.Of("pipe", "pipe_a"), seed.Of("pipe", "pipe_b"));
        Assert.Equal(seed.Of("pipe", "pipe_inner_a"), seed.Of("again", "again_inner_a"));
        Assert.InRange(seed.Of("pipe", "pipe_a"), 1, int.MaxValue);

        // A step by itself, and a nested pipeline by itself.
        var step = seed with { Below = seed.WayOf("pipe", "pipe_inner_a") };
        Assert.Equal(seed.Of("pipe", "pipe_inner_a"), step.Of("alone", "alone"));
        var nested = seed with { Below = seed.WayOf("pipe", "pipe_inner") };
        Assert.Equal(seed.Of("pipe", "pipe_inner_a"), nested.Of("alone", "alone_a"));
    }
}
