using Microsoft.Extensions.Logging.Abstractions;
using Zaffre.Compute;
using Zaffre.Compute.Launch;

namespace Zaffre.Tests.Unit.Compute;

public sealed class TaskTrashTests : IDisposable
{
    private readonly TaskRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task What_a_task_left_is_out_of_the_way_at_once_and_soon_gone_also_what_an_earlier_server_left()
    {
        var trash = rig.Data.Path("trash");
        Directory.CreateDirectory(Path.Combine(trash, "of-an-earlier-server", "below"));
        var launcher = new TaskLauncher(rig.Data, rig.Admission, ControlGroups.OfHost(), NullLogger<TaskLauncher>.Instance, trash: new TaskTrash(rig.Data, TimeProvider.System, NullLogger<TaskTrash>.Instance));
        var specs = Enumerable.Range(0, 3).Select(_ => rig.Shell("mkdir -m 0 closed; true")).ToList();
        foreach (var spec in specs)
        {
            Assert.True((await launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
            await launcher.WaitAsync(spec.Id, CancellationToken.None);
            await launcher.RemoveAsync(spec.Id, CancellationToken.None);

            Assert.False(Directory.Exists(rig.Data.Path("tasks", spec.Id.Name)));
            Assert.Equal(TaskStage.Unknown, await launcher.InspectAsync(spec.Id, CancellationToken.None));
        }

        for (var i = 0; i < 600 && Directory.EnumerateFileSystemEntries(trash).Any(); i++)
        {
            await Task.Delay(50);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(trash));
    }
}
