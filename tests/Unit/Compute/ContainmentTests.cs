using System.Diagnostics;
using System.Globalization;
using Zaffre.Compute;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>What a task cannot do. Each of these needs the sandbox, and as root the drop of the user, to pass.</summary>
public class ContainmentTests(TaskRig rig) : IClassFixture<TaskRig>
{
    [Fact]
    public async Task A_task_is_not_root_on_the_host_and_cannot_read_what_only_root_may()
    {
        var secret = rig.Data.Path("secret");
        await File.WriteAllTextAsync(secret, "s3cret");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var (_, log) = await rig.RunAsync(rig.Shell($"cat /proc/self/uid_map; cat /etc/shadow; cat {secret}; ls {rig.Data.Root}; id -u"));

        var map = log.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var own = Environment.IsPrivilegedProcess ? new ComputeOptions().TaskUser : Native.EffectiveUser();
        Assert.Equal(own.ToString(CultureInfo.InvariantCulture), map[1]);
        Assert.Equal("1", map[2]);
        Assert.Contains("/etc/shadow: Permission denied", log, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", log, StringComparison.Ordinal);
        Assert.Contains($"cannot access '{rig.Data.Root}'", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_system_is_read_only_and_other_processes_are_out_of_sight()
    {
        var (_, log) = await rig.RunAsync(rig.Shell("touch /usr/x; touch /etc/x; touch /run/zaffre/x; ls /proc | grep -c '^[0-9]'; echo in-tmp >/tmp/own && cat /tmp/own; ls -d /root/* /home/* /var/lib 2>/dev/null | wc -l"));

        Assert.Contains("'/usr/x': Read-only", log, StringComparison.Ordinal);
        Assert.Contains("'/etc/x': Read-only", log, StringComparison.Ordinal);
        Assert.Contains("in-tmp\n0\n", log, StringComparison.Ordinal);
        Assert.True(int.Parse(log.Split('\n').First(l => l.Length > 0 && l.All(char.IsAsciiDigit)), CultureInfo.InvariantCulture) < 10, log);
        Assert.False(File.Exists("/tmp/own"));
    }

    [Fact]
    public async Task A_read_only_bind_refuses_writing_and_a_writable_one_keeps_it()
    {
        var input = rig.Data.Path("blobs", "input folder");
        Directory.CreateDirectory(input);
        await File.WriteAllTextAsync(Path.Combine(input, "a.txt"), "content");
        var spec = rig.Shell("cat /mnt/azureml/in/a.txt; echo x >/mnt/azureml/in/a.txt; rm /mnt/azureml/in/a.txt; echo kept >made");
        spec = spec with { Binds = [.. spec.Binds, new TaskBind(input, "/mnt/azureml/in")] };
        var (_, log) = await rig.RunAsync(spec);

        Assert.StartsWith("content", log, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", log, StringComparison.Ordinal);
        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(input, "a.txt")));
        Assert.Equal("kept\n", await File.ReadAllTextAsync(Path.Combine(spec.Binds[0].Source, "made")));
    }

    [Fact]
    public async Task A_planted_link_gives_the_next_task_nothing()
    {
        var first = rig.Shell("ln -s /etc link; ln -s /etc/hostname file");
        await rig.RunAsync(first);
        foreach (var planted in new[] { "link", "file", "link/ssl" })
        {
            var second = rig.Shell("ls /mnt/azureml/in");
            second = second with { Binds = [.. second.Binds, new TaskBind(Path.Combine(first.Binds[0].Source, planted), "/mnt/azureml/in")] };

            Assert.Equal("BindNotFound", (await rig.Launcher.StartAsync(second, CancellationToken.None)).Problem?.Code);
        }
    }

    [Fact]
    public async Task A_log_that_was_replaced_by_a_link_is_refused_and_not_written_through()
    {
        var target = rig.Data.Path("target");
        var spec = rig.Shell("echo through");
        File.CreateSymbolicLink(spec.LogPath, target);

        Assert.Equal("LogNotWritable", (await rig.Launcher.StartAsync(spec, CancellationToken.None)).Problem?.Code);
        Assert.False(File.Exists(target));
    }

    [Fact]
    public async Task A_bind_swapped_between_preparing_and_starting_is_noticed()
    {
        var spec = rig.Shell("ls /mnt/azureml/wd");
        var prepared = (await rig.Launcher.PrepareAsync(spec, CancellationToken.None)).Value;
        Directory.Delete(spec.Binds[0].Source);
        File.CreateSymbolicLink(spec.Binds[0].Source, "/etc");
        using var process = Process.Start(new ProcessStartInfo(prepared.Command[0], prepared.Command.Skip(1)) { UseShellExecute = false, RedirectStandardOutput = true })!;

        Assert.Contains("failed one of its folders was replaced", await process.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("passwd", await File.ReadAllTextAsync(spec.LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_root_the_mounts_are_made_by_handle_and_end_with_the_task()
    {
        var spec = rig.Shell("sleep 300");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
        var launcher = (await File.ReadAllTextAsync(rig.Data.Path("tasks", spec.Id.Name, "0", "pid"))).Trim();
        var variables = await File.ReadAllTextAsync($"/proc/{launcher}/environ");

        Assert.Contains(Environment.IsPrivilegedProcess ? "ZAFFRE_PINNED=yes" : "ZAFFRE_PINNED=\0", variables, StringComparison.Ordinal);
        Assert.DoesNotContain(rig.Data.Root, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        await rig.Launcher.StopAsync(spec.Id, StopReason.Removed, TimeSpan.FromSeconds(5), CancellationToken.None);
    }

    [Fact]
    public async Task No_network_means_only_the_own_loopback()
    {
        var (_, log) = await rig.RunAsync(rig.Shell("cat /proc/net/dev") with { Network = TaskNetwork.None });

        Assert.Contains("lo:", log, StringComparison.Ordinal);
        Assert.Equal(3, log.Trim().Split('\n').Length);
    }

    [Fact]
    public async Task Too_much_memory_ends_the_task_and_is_named()
    {
        var (record, log) = await rig.RunAsync(rig.Shell("/usr/bin/python3 -c \"x=[bytearray(b'1'*10**6) for i in range(10**4)]\"", new TaskLimits { MemoryBytes = 64 << 20 }));

        Assert.False(record.Succeeded);
        if (GroupsWritable)
        {
            Assert.StartsWith("OutOfMemory: the memory limit of 64 MiB was reached", record.Reason, StringComparison.Ordinal);
            Assert.True(record.OutOfMemoryKills > 0);
            Assert.True(record.PeakMemoryBytes > 32 << 20);
            Assert.True(record.CpuSeconds > 0);
        }
        else
        {
            Assert.Contains("MemoryError", log, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_fork_bomb_meets_the_process_limit_and_dies_with_its_task()
    {
        var (record, _) = await rig.RunAsync(rig.Shell("", new TaskLimits { Processes = 40 }) with { Command = ["/bin/sh", "-c", "bomb() { sleep 543 & bomb; }; bomb"] });

        Assert.False(record.Succeeded);
        if (GroupsWritable)
        {
            Assert.Contains("ProcessLimit: the limit of 40 processes and threads was reached", record.Reason, StringComparison.Ordinal);
            Assert.True(record.ProcessLimitHits > 0);
        }
    }

    [Fact]
    public async Task Ignoring_SIGTERM_does_not_help()
    {
        var spec = rig.Shell("trap '' TERM; echo ready; while :; do sleep 0.2; done");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
        await ReadyAsync(spec);
        await rig.Launcher.StopAsync(spec.Id, StopReason.Timeout, TimeSpan.FromMilliseconds(300), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        var record = await rig.Launcher.WaitAsync(spec.Id, CancellationToken.None);

        Assert.Equal(StopReason.Timeout, record.Stopped);
        Assert.StartsWith("Timeout", record.Reason, StringComparison.Ordinal);
        Assert.False(record.Succeeded);
    }

    [Fact]
    public async Task A_canceled_task_may_clean_up_first()
    {
        var spec = rig.Shell("trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.1; done");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
        await ReadyAsync(spec);
        await rig.NewLauncher().StopAsync(spec.Id, StopReason.Canceled, TimeSpan.FromSeconds(20), CancellationToken.None);
        var record = await rig.Launcher.WaitAsync(spec.Id, CancellationToken.None);

        Assert.EndsWith("cleaned\n", await File.ReadAllTextAsync(spec.LogPath), StringComparison.Ordinal);
        Assert.Equal((StopReason.Canceled, 0, false), (record.Stopped!.Value, record.ExitCode!.Value, record.Succeeded));
    }

    [Fact]
    public async Task Without_a_sandbox_the_control_group_ends_what_outlived_its_command()
    {
        if (!GroupsWritable)
        {
            return;
        }

        // The task's user crosses these; a server that is root refuses to run tasks this way.
        var mark = Random.Shared.Next(100_000, 999_999);
        var spec = rig.Shell($"cd /; (setsid sh -c 'trap \"\" TERM HUP; sleep {mark}1 & sleep {mark}2' &) & (setsid setsid sh -c 'while :; do sleep {mark}3 & sleep 0.01; done' &) & sleep 0.5; echo over");
        spec = spec with { WorkingDirectory = spec.Binds[0].Source };
        var launcher = new TaskLauncher(rig.Data, new Bare(), ControlGroups.OfHost(), Microsoft.Extensions.Logging.Abstractions.NullLogger<TaskLauncher>.Instance);
        var prepared = (await launcher.PrepareAsync(spec, CancellationToken.None)).Value;
        foreach (var folder in new[] { rig.Data.Root, rig.Data.Path("tasks"), Path.GetDirectoryName(prepared.Folder)!, prepared.Folder })
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
        }

        Assert.True((await launcher.StartPreparedAsync(spec.Id, CancellationToken.None)).Succeeded);
        var record = await launcher.WaitAsync(spec.Id, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((0, "over\n"), (record.ExitCode, await File.ReadAllTextAsync(spec.LogPath)));
        Assert.DoesNotContain(Process.GetProcessesByName("sleep"), process => CommandOf(process.Id).Contains($"sleep\0{mark}", StringComparison.Ordinal));
    }

    [Fact]
    public void A_server_that_is_root_runs_nothing_without_the_sandbox()
    {
        var refused = TaskAdmission.Refuses(new HostSandbox { Root = true, Sandboxed = false, User = 1, Group = 1, NotIsolated = [], ResetsSignals = true, BoundsSharedMemory = true }, alone: true);
        Assert.Equal("SandboxUnavailable", refused?.Code);
        Assert.Contains("root", refused?.Message, StringComparison.Ordinal);
    }

    private static string CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private sealed class Bare : ITaskAdmission
    {
        public ValueTask<Outcome<HostSandbox>> AdmitAsync(CancellationToken ct) => ValueTask.FromResult<Outcome<HostSandbox>>(
            new HostSandbox { Root = true, Sandboxed = false, User = 64200, Group = 64200, NotIsolated = [], ResetsSignals = true, BoundsSharedMemory = true });
    }

    [Fact]
    public async Task A_file_over_its_limit_is_not_written_on()
    {
        var (record, _) = await rig.RunAsync(rig.Shell("head -c 3000000 /dev/zero >big", new TaskLimits { FileBytes = 1 << 20 }));

        Assert.Equal(25, record.Signal);
        Assert.Contains("SIGXFSZ", record.Reason, StringComparison.Ordinal);
    }

    private static bool GroupsWritable => Environment.IsPrivilegedProcess;

    private static async Task ReadyAsync(TaskSpec spec)
    {
        for (var i = 0; i < 200 && !(await File.ReadAllTextAsync(spec.LogPath)).Contains("ready", StringComparison.Ordinal); i++)
        {
            await Task.Delay(25);
        }
    }
}
