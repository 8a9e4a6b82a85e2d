using System.Diagnostics;
using Zaffre.Compute;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

public class LaunchTests(TaskRig rig) : IClassFixture<TaskRig>
{
    [Fact]
    public async Task A_task_runs_and_leaves_its_exit_code_its_log_and_its_usage()
    {
        var (record, log) = await rig.RunAsync(rig.Shell("echo out; echo error >&2; exit 7"));

        Assert.Equal("out\nerror\n", log);
        Assert.Equal(7, record.ExitCode);
        Assert.False(record.Succeeded);
        Assert.Null(record.ContainedBy);
        Assert.Equal("The command failed with exit code 7.", record.Reason);
        Assert.True(record.EndedAt >= record.StartedAt);
    }

    [Fact]
    public async Task How_long_a_task_has_lived_is_known_to_every_server_and_by_no_clock_that_is_set()
    {
        var spec = rig.Shell("sleep 300");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
        Assert.InRange(rig.NewLauncher().Age(spec.Id)!.Value.TotalSeconds, -0.1, 60);
        await rig.Launcher.StopAsync(spec.Id, StopReason.Removed, TimeSpan.FromSeconds(5), CancellationToken.None);
        Assert.Null(rig.NewLauncher().Age(new TaskId("nobody", 0)));
    }

    [Fact]
    public async Task A_task_that_the_sandbox_does_not_start_never_began_and_may_be_tried_again()
    {
        var spec = rig.Shell("true") with { WorkingDirectory = "/mnt/azureml/wd/nowhere" };
        var refused = (await rig.Launcher.StartAsync(spec, CancellationToken.None)).Problem;
        Assert.Equal(("TaskNotStarted", true), (refused?.Code, refused?.Transient));
        Assert.True((await rig.NewLauncher().WaitAsync(spec.Id, CancellationToken.None)).NeverBegan);
    }

    [Fact]
    public async Task What_ended_by_itself_was_not_stopped_even_when_somebody_asks_for_it_afterwards()
    {
        var spec = rig.Shell("exit 3");
        await rig.RunAsync(spec);
        await rig.Launcher.StopAsync(spec.Id, StopReason.Removed, TimeSpan.FromSeconds(5), CancellationToken.None);
        var record = await rig.NewLauncher().WaitAsync(spec.Id, CancellationToken.None);
        Assert.Equal((3, null), (record.ExitCode, record.Stopped));
    }

    [Theory]
    [InlineData("", true, true)]
    [InlineData("1", true, false)]
    [InlineData("", false, false)]
    public async Task A_lost_task_never_began_only_when_its_files_of_this_boot_say_so(string started, bool thisBoot, bool never)
    {
        var id = new TaskId($"lost{started}{thisBoot}", 0);
        var folder = rig.Data.Path("tasks", id.Name, "0");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "started"), started);
        await File.WriteAllTextAsync(Path.Combine(folder, "containment"), $"boot {(thisBoot ? (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim() : "another")}\n");
        Assert.Equal(TaskStage.Lost, await rig.Launcher.InspectAsync(id, CancellationToken.None));
        var record = await rig.Launcher.WaitAsync(id, CancellationToken.None);
        Assert.Equal((true, never), (record.Lost, record.NeverBegan));
    }

    [Fact]
    public async Task A_command_that_succeeds_says_so()
    {
        var (record, _) = await rig.RunAsync(rig.Shell("true"));

        Assert.True(record.Succeeded, record.Reason);
    }

    [Fact]
    public async Task A_signal_is_named()
    {
        var (record, _) = await rig.RunAsync(rig.Shell("kill -SEGV $$"));

        Assert.Equal(11, record.Signal);
        Assert.Contains("SIGSEGV", record.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_and_variables_arrive_as_they_were_given()
    {
        const string odd = "it's \"quoted\" $HOME `x` \\ \t * ü\nsecond line";
        var spec = rig.Shell("") with { Command = ["/usr/bin/printf", "%s|", odd, ""] };
        spec = spec with { Environment = new Dictionary<string, string>(spec.Environment) { ["ODD.NAME"] = odd } };
        var (_, log) = await rig.RunAsync(spec);
        Assert.Equal(odd + "||", log);

        // Not through a shell, which drops names that it could not have given itself.
        var show = rig.Shell("") with { Command = ["/usr/bin/env", "-0"], Environment = spec.Environment };
        Assert.Contains($"ODD.NAME={odd}\0", (await rig.RunAsync(show)).Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_the_servers_environment_and_signals_is_inherited()
    {
        Environment.SetEnvironmentVariable("ZAFFRE_TEST_SECRET", "s3cret");
        var (_, log) = await rig.RunAsync(rig.Shell("env; grep -E 'Sig(Ign|Blk)' /proc/self/status; ls -l /proc/self/fd"));

        Assert.DoesNotContain("s3cret", log, StringComparison.Ordinal);
        Assert.Contains("SigBlk:\t0000000000000000", log, StringComparison.Ordinal);
        Assert.Contains("SigIgn:\t0000000000000000", log, StringComparison.Ordinal);
        Assert.DoesNotMatch("/0/(lock|plan|enter|arguments|started|launcher.log)", log);
    }

    [Fact]
    public async Task The_log_may_be_reopened_as_dev_stdout()
    {
        var (record, log) = await rig.RunAsync(rig.Shell("echo one; echo two | tee -a /dev/stderr; echo three >>/dev/stdout"));

        Assert.True(record.Succeeded, log);
        Assert.Equal("one\ntwo\ntwo\nthree\n", log);
    }

    [Fact]
    public async Task An_attempt_starts_once()
    {
        var spec = rig.Shell("echo ran; sleep 0.3");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);

        Assert.Equal(ProblemKind.Conflict, (await rig.Launcher.StartAsync(spec, CancellationToken.None)).Problem?.Kind);
        Assert.Equal(ProblemKind.Conflict, (await rig.NewLauncher().StartAsync(spec, CancellationToken.None)).Problem?.Kind);
        await rig.Launcher.WaitAsync(spec.Id, CancellationToken.None);
        Assert.Equal(ProblemKind.Conflict, (await rig.NewLauncher().StartAsync(spec, CancellationToken.None)).Problem?.Kind);
        Assert.Equal("ran\n", await File.ReadAllTextAsync(spec.LogPath));
    }

    [Fact]
    public async Task Two_launchers_of_one_prepared_attempt_run_it_once()
    {
        var spec = rig.Shell("echo ran; sleep 0.5");
        var prepared = (await rig.Launcher.PrepareAsync(spec, CancellationToken.None)).Value;
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RunAsync(prepared.Command)));

        Assert.Single(answers, a => a.Contains("exited", StringComparison.Ordinal));
        Assert.Equal(2, answers.Count(a => a.StartsWith("refused", StringComparison.Ordinal)));
        Assert.Equal("ran\n", await File.ReadAllTextAsync(spec.LogPath));
    }

    [Fact]
    public async Task Another_server_finds_a_running_task_and_sees_its_end()
    {
        var spec = rig.Shell("sleep 0.7; exit 3");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
        var other = rig.NewLauncher();

        Assert.Equal(TaskStage.Running, await other.InspectAsync(spec.Id, CancellationToken.None));
        var record = await other.WaitAsync(spec.Id, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(3, record.ExitCode);
        Assert.Equal(TaskStage.Ended, await other.InspectAsync(spec.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_task_whose_launcher_was_killed_is_lost_and_nothing_of_it_is_left()
    {
        var spec = rig.Shell("sleep 987");
        Assert.True((await rig.Launcher.StartAsync(spec, CancellationToken.None)).Succeeded);
        var folder = rig.Data.Path("tasks", spec.Id.Name, "0");
        for (var i = 0; i < 200 && ProcessesOf("987").Count == 0; i++)
        {
            await Task.Delay(25);
        }

        Assert.NotEmpty(ProcessesOf("987"));

        Process.GetProcessById(int.Parse((await File.ReadAllTextAsync(Path.Combine(folder, "pid"))).Trim(), System.Globalization.CultureInfo.InvariantCulture)).Kill();
        var record = await rig.Launcher.WaitAsync(spec.Id, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.True(record.Lost);
        Assert.Equal(TaskStage.Lost, await rig.NewLauncher().InspectAsync(spec.Id, CancellationToken.None));
        for (var i = 0; i < 200 && ProcessesOf("987").Count > 0; i++)
        {
            await Task.Delay(25);
        }

        Assert.Empty(ProcessesOf("987"));
    }

    [Fact]
    public async Task A_missing_program_is_an_exit_code_and_a_missing_folder_a_problem()
    {
        var (record, log) = await rig.RunAsync(rig.Shell("") with { Command = ["/no/such/program"] });
        Assert.Equal(127, record.ExitCode);
        Assert.Contains("/no/such/program", log, StringComparison.Ordinal);

        var gone = rig.Shell("true");
        var answer = await rig.Launcher.StartAsync(gone with { Binds = [.. gone.Binds, new TaskBind(rig.Data.Path("gone"), "/mnt/azureml/x")] }, CancellationToken.None);
        Assert.Equal("BindNotFound", answer.Problem?.Code);
        Assert.Equal("/mnt/azureml/x", answer.Problem?.Target);

        var nowhere = await rig.Launcher.StartAsync(rig.Shell("true") with { WorkingDirectory = "/mnt/azureml/nowhere" }, CancellationToken.None);
        Assert.Equal("TaskNotStarted", nowhere.Problem?.Code);
        Assert.Contains("nowhere", nowhere.Problem!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("a b")]
    public async Task A_name_that_is_no_folder_name_is_refused(string name)
    {
        var answer = await rig.Launcher.StartAsync(rig.Shell("true") with { Id = new TaskId(name, 0) }, CancellationToken.None);

        Assert.Equal("InvalidTaskId", answer.Problem?.Code);
    }

    [Fact]
    public async Task Removing_leaves_nothing()
    {
        var spec = rig.Shell("mkdir -m 0 closed; true");
        await rig.RunAsync(spec);
        var groups = (await File.ReadAllLinesAsync(rig.Data.Path("tasks", spec.Id.Name, "0", "containment"))).Where(l => l.StartsWith("group ", StringComparison.Ordinal)).Select(l => l[6..]).ToList();

        await rig.Launcher.RemoveAsync(spec.Id, CancellationToken.None);

        Assert.False(Directory.Exists(rig.Data.Path("tasks", spec.Id.Name)));
        Assert.DoesNotContain(groups, Directory.Exists);
        Assert.Equal(TaskStage.Unknown, await rig.Launcher.InspectAsync(spec.Id, CancellationToken.None));
    }

    private static List<string> ProcessesOf(string word) => [.. Directory.EnumerateDirectories("/proc")
        .Where(p => int.TryParse(Path.GetFileName(p), out _))
        .Where(p => Read(p).Split('\0').Contains(word))];

    private static string Read(string process)
    {
        try
        {
            return File.ReadAllText(process + "/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task<string> RunAsync(IReadOnlyList<string> command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { UseShellExecute = false, RedirectStandardOutput = true })!;
        return await process.StandardOutput.ReadToEndAsync();
    }
}
