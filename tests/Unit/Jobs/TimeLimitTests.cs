using Zaffre.Jobs.Execution;

namespace Zaffre.Tests.Unit.Jobs;

public sealed class TimeLimitTests
{
    private readonly ManualTime time = new();

    [Theory]
    [InlineData(0)]
    [InlineData(5000)]
    [InlineData(-5000)]
    public async Task Time_is_over_after_the_time_that_passed_whatever_the_clock_is_set_to(int days)
    {
        var over = new TimeLimit(time).OverAsync(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(4), CancellationToken.None);
        time.Pass(TimeSpan.FromMinutes(5));
        time.Set = TimeSpan.FromDays(days);
        time.Pass(TimeSpan.FromSeconds(59));
        Assert.False(over.IsCompleted);
        time.Pass(TimeSpan.FromSeconds(1));
        await over.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_limit_longer_than_any_timer_is_waited_for_in_parts()
    {
        var over = new TimeLimit(time).OverAsync(TimeSpan.FromDays(100), TimeSpan.Zero, CancellationToken.None);
        for (var day = 1; day < 100; day++)
        {
            time.Pass(TimeSpan.FromDays(1));
            Assert.False(over.IsCompleted);

            // The next part begins on another thread.
            await Task.Yield();
        }

        for (var wait = 0; wait < 200 && !over.IsCompleted; wait++)
        {
            time.Pass(TimeSpan.FromDays(1));
            await Task.Delay(5);
        }

        Assert.True(over.IsCompleted);
    }

    [Fact]
    public async Task Without_a_limit_only_the_asking_ends()
    {
        using var asked = new CancellationTokenSource();
        var over = new TimeLimit(time).OverAsync(null, TimeSpan.Zero, asked.Token);
        time.Pass(TimeSpan.FromDays(1));
        Assert.False(over.IsCompleted);
        await asked.CancelAsync();
        await over.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void The_kernel_knows_how_long_a_task_has_lived_and_a_stored_start_in_the_future_counts_as_now()
    {
        var limit = new TimeLimit(time);
        var start = time.GetUtcNow();
        time.Pass(TimeSpan.FromMinutes(3));
        Assert.Equal(TimeSpan.FromMinutes(3), limit.AgeOf(null, start));
        Assert.Equal(TimeSpan.FromMinutes(3), limit.AgeOf(TimeSpan.FromSeconds(200), start));
        time.Set = TimeSpan.FromDays(400);
        Assert.Equal(TimeSpan.FromMinutes(2), limit.AgeOf(TimeSpan.FromMinutes(2), start));
        time.Set = TimeSpan.FromDays(-400);
        Assert.Equal(TimeSpan.Zero, limit.AgeOf(null, start));
        Assert.Equal(TimeSpan.FromMinutes(2), limit.AgeOf(TimeSpan.FromMinutes(2), start));
        Assert.Equal(TimeSpan.Zero, limit.AgeOf(null, null));
    }
}
