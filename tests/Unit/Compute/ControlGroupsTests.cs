using Zaffre.Compute;
using Zaffre.Compute.Launch;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>Both versions over a tree of plain files: what is written where. The real kernel is under the containment tests.</summary>
public sealed class ControlGroupsTests : IDisposable
{
    private static readonly TaskLimits Limits = new() { MemoryBytes = 1 << 20, Processes = 7, Cpus = 1.5 };

    private readonly string root = Directory.CreateTempSubdirectory("zaffre-groups-").FullName;

    [Fact]
    public void The_unified_tree_is_used_when_it_has_the_controllers()
    {
        var own = At("tree", "service");
        Directory.CreateDirectory(own);
        File.WriteAllText(Path.Combine(own, "cgroup.controllers"), "cpuset cpu io memory pids\n");
        var groups = Create("0::/service\n");

        Assert.Equal("+memory +pids +cpu", File.ReadAllText(Path.Combine(own, "cgroup.subtree_control")));
        Assert.True(groups is { LimitsMemory: true, LimitsProcesses: true, LimitsCpu: true });
        var folder = Assert.Single(groups.Folders);
        Assert.Equal("1048576", File.ReadAllText(Path.Combine(folder, "memory.max")));
        Assert.Equal("0", File.ReadAllText(Path.Combine(folder, "memory.swap.max")));
        Assert.Equal("7", File.ReadAllText(Path.Combine(folder, "pids.max")));
        Assert.Equal("150000 100000", File.ReadAllText(Path.Combine(folder, "cpu.max")));
        Assert.Equal(Path.Combine(folder, "cgroup.procs"), Assert.Single(groups.Join));
    }

    [Fact]
    public void Separate_trees_are_used_when_the_unified_one_has_no_controllers()
    {
        foreach (var folder in new[] { "memory/box", "pids", "cpu,cpuacct", "unified" })
        {
            Directory.CreateDirectory(At("tree", folder));
        }

        var groups = Create("4:memory:/box\n3:pids:/elsewhere\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n");

        Assert.True(groups is { LimitsMemory: true, LimitsProcesses: true, LimitsCpu: true });
        Assert.Equal(["memory/box", "pids", "cpu,cpuacct"], groups.Folders.Select(f => Path.GetRelativePath(At("tree"), Path.GetDirectoryName(f)!)));
        Assert.Equal("7", File.ReadAllText(Path.Combine(groups.Folders[1], "pids.max")));
        Assert.Equal("150000", File.ReadAllText(Path.Combine(groups.Folders[2], "cpu.cfs_quota_us")));
        Assert.All(groups.Join, j => Assert.EndsWith("/tasks", j, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_any_tree_nothing_is_limited_and_that_is_said()
    {
        var groups = Create("0::/\n");

        Assert.Equal(3, HostLimits.Missing(Limits, groups).Count());
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string At(params string[] parts) => Path.Combine([root, .. parts]);

    private TaskGroups Create(string membership)
    {
        File.WriteAllText(At("membership"), membership);
        return new ControlGroups(At("tree"), At("membership")).Create("/data", new TaskId("a", 0), Limits);
    }
}
