using Zaffre.Jobs.Data;

namespace Zaffre.Tests.Unit.Jobs.Queue;

/// <summary>What the queue reads it finds by an index: a longer queue costs no more.</summary>
public sealed class QueuePlanTests : IDisposable
{
    private readonly QueueRig rig = new(hostSlots: 4);

    [Theory]
    [InlineData(JobQueue.NextSql, "SEARCH jobs USING INDEX jobs_queued (compute=? AND priority=? AND experiment=? AND seq>?)")]
    [InlineData(JobQueue.GroupsSql, "SCAN jobs USING COVERING INDEX jobs_queued")]
    [InlineData(JobQueue.TasksSql, "jobs_queued")]
    [InlineData(JobQueue.DueSql, "jobs_due")]
    [InlineData(JobTable.ActiveSql, "jobs_active")]
    public async Task Reads_of_the_queue_use_its_indexes_and_sort_nothing(string sql, string expected)
    {
        var plan = await rig.PlanAsync(sql);
        Assert.Contains(expected, plan, StringComparison.Ordinal);
        Assert.DoesNotContain("FOR ORDER BY", plan, StringComparison.Ordinal);
    }

    public void Dispose() => rig.Dispose();
}
