using Zaffre.Compute;
using Zaffre.Compute.Computes;

namespace Zaffre.Tests.Unit.Compute;

public sealed class AdmissionTests
{
    private readonly Admission host = new(new HostNeed(4, 100, 1));
    private readonly Waiter first = new();
    private readonly Waiter second = new();

    [Fact]
    public void What_does_not_fit_waits_and_is_woken_when_it_does()
    {
        Assert.True(host.TryTake(first, Places(3)));
        Assert.False(host.TryTake(second, Places(2)));
        Assert.Equal(0, second.Woken);

        host.Give(Places(3));
        Assert.True(second.Woken > 0);
        Assert.True(host.TryTake(second, Places(2)));
        Assert.Equal(Places(2), host.Taken);
    }

    [Fact]
    public void Memory_and_GPUs_count_like_places()
    {
        Assert.True(host.TryTake(first, new HostNeed(1, 60, 0)));
        Assert.False(host.TryTake(second, new HostNeed(1, 60, 0)));
        Assert.True(host.TryTake(first, new HostNeed(1, 0, 1)));
        Assert.False(host.TryTake(first, new HostNeed(1, 0, 1)));
        Assert.True(host.TryTake(second, new HostNeed(1, 40, 0)));
    }

    [Fact]
    public void More_than_the_whole_host_is_the_whole_host()
    {
        Assert.True(host.TryTake(first, new HostNeed(1, 1000, 0)));
        host.Give(new HostNeed(1, 1000, 0));
        Assert.Equal(default, host.Taken);
    }

    [Fact]
    public void Who_waits_is_passed_a_bounded_number_of_times()
    {
        Assert.True(host.TryTake(first, Places(1)));
        Assert.False(host.TryTake(second, Places(4)));
        for (var passed = 0; passed < Admission.MostPassed; passed++)
        {
            Assert.True(host.TryTake(first, Places(1)));
            host.Give(Places(1));
        }

        Assert.False(host.TryTake(first, Places(1)));
        host.Give(Places(1));
        Assert.False(host.TryTake(first, Places(1)));
        Assert.True(host.TryTake(second, Places(4)));
    }

    [Fact]
    public void Who_leaves_the_line_lets_the_next_one_try()
    {
        Assert.True(host.TryTake(first, Places(3)));
        Assert.False(host.TryTake(first, Places(4)));
        Assert.False(host.TryTake(second, Places(2)));
        host.Give(Places(2));
        var before = second.Woken;
        host.Withdraw(first);
        Assert.True(second.Woken > before);
        Assert.True(host.TryTake(second, Places(2)));
    }

    [Fact]
    public void What_is_found_running_takes_its_places_whatever_is_free()
    {
        host.TakeNow(Places(4));
        host.TakeNow(Places(2));
        host.Give(Places(2));
        Assert.False(host.TryTake(first, Places(1)));
        host.Give(Places(4));
        Assert.Equal(default, host.Taken);
        Assert.True(first.Woken > 0);
    }

    private static HostNeed Places(int count) => new(count, 0, 0);

    private sealed class Waiter : IPlaceWaiter
    {
        public int Woken { get; private set; }

        public void Wake() => Woken++;
    }
}
