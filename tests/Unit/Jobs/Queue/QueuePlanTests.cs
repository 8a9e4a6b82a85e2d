using Zaffre.Jobs.Data;
using Zaffre.Resources;

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

    [Theory]
    [InlineData(ListView.ActiveOnly, 1, false)]
    [InlineData(ListView.ArchivedOnly, 3, true)]
    [InlineData(ListView.All, 2, true)]
    public async Task Filtered_lists_of_jobs_are_read_in_order_from_their_index(ListView view, int facets, bool continued)
    {
        var plan = await rig.PlanAsync(JobFacets.PageSql(new ResourceQuery { Parent = rig.Workspace.Id, Type = "jobs", View = view, NewestFirst = true }, facets, continued));
        Assert.StartsWith($"SEARCH f USING PRIMARY KEY (parent=? AND facet=?{(continued ? " AND sequence<?" : "")})", plan, StringComparison.Ordinal);
        Assert.Equal(facets - 1, plan.Split('\n').Count(line => line.Contains("SEARCH g USING PRIMARY KEY (parent=? AND facet=? AND sequence=?)", StringComparison.Ordinal)));
        Assert.DoesNotContain("TEMP B-TREE", plan, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ListView.ActiveOnly, false)]
    [InlineData(ListView.ArchivedOnly, true)]
    [InlineData(ListView.All, false)]
    [InlineData(ListView.All, true)]
    public async Task Lists_without_filters_are_read_in_order_from_theirs(ListView view, bool continued)
    {
        var plan = await rig.PlanAsync(new ResourceListing(new ResourceQuery { Parent = rig.Workspace.Id, Type = "jobs", View = view, NewestFirst = true }).Sql(continued));

        // When both kinds are asked for, a page of each is merged.
        var kinds = view == ListView.All ? 2 : 1;
        Assert.Equal(kinds, plan.Split('\n').Count(line => line.Contains("resources_by_parent (parent=? AND type=? AND archived=?", StringComparison.Ordinal)));
        Assert.Equal(kinds == 1 ? 0 : 2, plan.Split('\n').Count(line => line.Contains("TEMP B-TREE", StringComparison.Ordinal)));
        Assert.DoesNotContain("SCAN resources", plan, StringComparison.Ordinal);
    }

    public void Dispose() => rig.Dispose();
}
