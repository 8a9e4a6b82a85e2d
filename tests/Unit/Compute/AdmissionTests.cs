using Zaffre.Compute.Computes;

namespace Zaffre.Tests.Unit.Compute;

public sealed class AdmissionTests
{
    [Fact]
    public async Task Places_are_given_first_come_first_served()
    {
        var admission = new Admission();
        await admission.TakeAsync(2, 2, CancellationToken.None);
        var big = admission.TakeAsync(2, 2, CancellationToken.None);
        var small = admission.TakeAsync(1, 2, CancellationToken.None);

        admission.Give(1);
        Assert.False(big.IsCompleted || small.IsCompleted);
        admission.Give(1);
        await big.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.False(small.IsCompleted);
        admission.Give(2);
        await small.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Who_stops_waiting_holds_nobody_up()
    {
        var admission = new Admission();
        await admission.TakeAsync(1, 1, CancellationToken.None);
        using var impatient = new CancellationTokenSource();
        var first = admission.TakeAsync(1, 1, impatient.Token);
        var second = admission.TakeAsync(1, 1, CancellationToken.None);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        admission.Give(1);

        await second.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task More_than_there_is_runs_alone()
    {
        var admission = new Admission();

        await admission.TakeAsync(9, 2, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5));
        var next = admission.TakeAsync(1, 2, CancellationToken.None);

        Assert.False(next.IsCompleted);
    }

    [Fact]
    public async Task A_task_found_again_counts_even_beyond_the_limit()
    {
        var admission = new Admission();
        admission.TakeNow(2);
        var next = admission.TakeAsync(1, 1, CancellationToken.None);

        admission.Give(1);
        Assert.False(next.IsCompleted);
        admission.Give(1);
        await next.WaitAsync(TimeSpan.FromSeconds(5));
    }
}
