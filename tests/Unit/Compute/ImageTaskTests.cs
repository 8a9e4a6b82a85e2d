using Zaffre.Compute;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>Tasks that see the files of an image in place of the host's: here a folder with a shell and what it needs.</summary>
public sealed class ImageTaskTests : IDisposable
{
    private readonly TaskRig rig = new();

    [Fact]
    public async Task A_task_in_an_image_outlives_its_server_and_is_stopped_by_the_next_one()
    {
        var spec = await InImageAsync("echo begun; trap 'echo asked; exit 3' TERM; while :; do sleep 0.1; done");
        Assert.True((await rig.Launcher.StartAsync(spec, default)).Succeeded);

        var next = rig.NewLauncher();
        Assert.Equal(TaskStage.Running, await next.InspectAsync(spec.Id, default));
        while (!(await File.ReadAllTextAsync(spec.LogPath)).Contains("begun", StringComparison.Ordinal))
        {
            await Task.Delay(20);
        }

        var ended = next.WaitAsync(spec.Id, default);
        await next.StopAsync(spec.Id, StopReason.Canceled, TimeSpan.FromSeconds(20), default);

        var record = await ended;
        Assert.Equal((3, StopReason.Canceled), (record.ExitCode, record.Stopped));
        Assert.Contains("asked", await File.ReadAllTextAsync(spec.LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_in_an_image_sees_nothing_of_the_host_and_keeps_to_its_memory()
    {
        var spec = await InImageAsync("[ -e /usr/bin/env ] || echo 'no host'; [ -e /etc/shadow ] || echo 'no shadow'; x=x; while :; do x=$x$x; done");

        var (record, log) = await rig.RunAsync(spec with { Limits = new TaskLimits { MemoryBytes = 64 << 20 } });

        Assert.Contains("no host", log, StringComparison.Ordinal);
        Assert.Contains("no shadow", log, StringComparison.Ordinal);
        Assert.False(record.Succeeded);
    }

    public void Dispose() => rig.Dispose();

    private async Task<TaskSpec> InImageAsync(string line)
    {
        var (record, log) = await rig.RunAsync(rig.Shell("mkdir r && cd r && mkdir -p bin etc && : >etc/passwd && : >etc/group && : >etc/resolv.conf && : >etc/hosts && for p in /bin/dash /bin/sleep; do cp -L $p bin/; ldd $p | grep -o '/lib[^ ]*' | while read -r l; do mkdir -p \".$(dirname $l)\"; cp -L $l \".$l\"; done; done && mv bin/dash bin/sh"));
        Assert.True(record.Succeeded, log);
        var made = Directory.GetDirectories(rig.Data.Path("blobs"), "r", SearchOption.AllDirectories).Single(folder => File.Exists(Path.Combine(folder, "bin", "sh")));
        var spec = rig.Shell(line);
        return spec with { Command = ["/bin/sh", "-c", line], Environment = new Dictionary<string, string> { ["PATH"] = "/bin" }, Binds = [new TaskBind(made, "/"), .. spec.Binds] };
    }
}
