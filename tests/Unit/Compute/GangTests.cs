using Zaffre.Compute;
using Zaffre.Jobs.Execution;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;
using Zaffre.Storage;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>Several tasks as one, over a server that dies at the worst moments: each launcher here is another server's.</summary>
public sealed class GangTests(TaskRig rig) : IClassFixture<TaskRig>
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_gang_that_was_half_started_when_the_server_died_is_started_to_the_end_by_the_next_one_and_runs_once()
    {
        var specs = Specs(3, "echo began; while [ ! -e go ]; do sleep 0.02; done; echo done");
        foreach (var spec in specs)
        {
            Assert.True((await rig.Launcher.PrepareAsync(spec, CancellationToken.None)).Succeeded);
        }

        Assert.True((await rig.Launcher.StartPreparedAsync(specs[1].Id, CancellationToken.None)).Succeeded);

        var next = new Gang(rig.NewLauncher(), specs[0].Id, Plan(3));
        Assert.Equal(TaskStage.Running, await next.InspectAsync(CancellationToken.None));
        Assert.Null(await next.CompleteStartAsync(Grace, CancellationToken.None));
        Assert.Null(await next.CompleteStartAsync(Grace, CancellationToken.None));
        var last = new Gang(rig.NewLauncher(), specs[0].Id, Plan(3));
        var waiting = last.WaitAsync(Grace, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        foreach (var spec in specs)
        {
            await File.WriteAllTextAsync(Path.Combine(spec.Binds[0].Source, "go"), "");
        }

        Assert.True((await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Exit.Succeeded);
        Assert.All(specs, spec => Assert.Equal("began\ndone\n", File.ReadAllText(spec.LogPath)));
        await last.RemoveAsync(CancellationToken.None);
        Assert.All(specs, spec => Assert.False(Directory.Exists(rig.Data.Path("tasks", spec.Id.Name))));
    }

    [Fact]
    public async Task A_server_that_comes_after_the_failure_of_one_comes_to_the_same_end_as_one_that_saw_it()
    {
        var specs = Specs(2, "if [ $RANK = 1 ]; then exit 7; fi; sleep 600");
        Assert.True((await new Gang(rig.Launcher, specs[0].Id, Plan(2)).StartAsync(specs, Grace, CancellationToken.None)).Succeeded);
        Assert.Equal(7, (await rig.Launcher.WaitAsync(specs[1].Id, CancellationToken.None)).ExitCode);

        var end = await new Gang(rig.NewLauncher(), specs[0].Id, Plan(2)).WaitAsync(Grace, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((1, 7, 2), (end.Member.Number, end.Exit.ExitCode, end.Of));
        end = await new Gang(rig.NewLauncher(), specs[0].Id, Plan(2)).WaitAsync(Grace, CancellationToken.None);
        Assert.Equal((1, 7), (end.Member.Number, end.Exit.ExitCode));
        Assert.Equal(StopReason.Removed, (await rig.NewLauncher().WaitAsync(specs[0].Id, CancellationToken.None)).Stopped);
    }

    [Fact]
    public async Task One_that_does_not_start_takes_the_others_along()
    {
        var specs = Specs(2, "sleep 600");
        specs[1] = specs[1] with { WorkingDirectory = "/mnt/azureml/nowhere" };
        var started = await new Gang(rig.Launcher, specs[0].Id, Plan(2)).StartAsync(specs, Grace, CancellationToken.None);
        Assert.Equal("TaskNotStarted", started.Problem?.Code);
        Assert.StartsWith("rank 1 did not start, and the others were ended.", started.Problem?.Message, StringComparison.Ordinal);
        Assert.Equal(TaskStage.Ended, await rig.Launcher.InspectAsync(specs[0].Id, CancellationToken.None));
    }

    [Fact]
    public async Task What_was_never_made_ready_is_not_started() =>
        Assert.Equal(ProblemKind.NotFound, (await rig.Launcher.StartPreparedAsync(new TaskId("nobody", 0), CancellationToken.None)).Problem?.Kind);

    private TaskSpec[] Specs(int count, string line)
    {
        var first = rig.Shell(line);
        return [.. Enumerable.Range(0, count).Select(number => (number == 0 ? first : rig.Shell(line)) with { Id = Gang.IdOf(first.Id, number) })
            .Select((spec, number) => spec with { Environment = new Dictionary<string, string>(spec.Environment, StringComparer.Ordinal) { ["RANK"] = FormattableString.Invariant($"{number}") } })];
    }

    private static JobPlan Plan(int processes) => new()
    {
        Experiment = "e",
        Artifacts = new BlobAddress("a", "c", "p"),
        WorkspaceId = "w",
        Location = "local",
        Actor = new PlannedActor("o", "n", "User", "t"),
        Gang = new PlannedGang(GangKind.PyTorch, processes, processes, 0),
    };
}
