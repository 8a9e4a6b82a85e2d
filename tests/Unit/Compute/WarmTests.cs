using Zaffre.Compute;
using Zaffre.Compute.Launch;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>A rig whose tasks all run in sandboxes that were there before them, where the host allows that: as root.</summary>
public sealed class WarmRig : TaskRig
{
    public WarmRig()
        : base(warm: true)
    {
    }
}

/// <summary>What a task cannot do in a sandbox that was made before it.</summary>
public sealed class WarmContainmentTests(WarmRig rig) : ContainmentTests(rig), IClassFixture<WarmRig>;

/// <summary>How a task starts, ends and is found again in a sandbox that was made before it.</summary>
public sealed class WarmLaunchTests(WarmRig rig) : LaunchTests(rig), IClassFixture<WarmRig>
{
    [Fact]
    public async Task Sandboxes_are_kept_ready_for_the_shape_that_comes_again_and_used_once()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        var spec = rig.Shell("id -u; ls /run/zaffre; cat /proc/self/cgroup; echo $HOME");
        await rig.WarmAsync(spec);
        var given = rig.Pool!.Given;
        var (record, log) = await rig.RunAsync(spec);

        Assert.True(record.Succeeded, log);
        Assert.Equal(given + 1, rig.Pool.Given);
        Assert.StartsWith("64200\nlog\n", log, StringComparison.Ordinal);
        Assert.EndsWith("/tmp\n", log, StringComparison.Ordinal);
        Assert.True(record.CpuSeconds > 0);
        Assert.NotNull(record.StartedAt);
    }
}
