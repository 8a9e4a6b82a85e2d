using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Compute;
using Zaffre.Database;
using Zaffre.Jobs;
using Zaffre.Kernel;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs whose start fails for reasons of the platform.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    private readonly ZaffreHost host;
    private FlakyLauncher? launcher;
    private TimeSpan pause = TimeSpan.FromMilliseconds(10);
    private Func<TaskId, Func<Task<Outcome<RunningTask>>>, CancellationToken, Task<Outcome<RunningTask>>> starting = (_, start, _) => start();

    public RetryTests() => host = new ZaffreHost
    {
        Also = services =>
        {
            var real = services.Last(service => service.ServiceType == typeof(ITaskLauncher)).ImplementationType!;
            services.AddSingleton<ITaskLauncher>(provider => launcher = new FlakyLauncher((ITaskLauncher)ActivatorUtilities.CreateInstance(provider, real), (id, start, ct) => starting(id, start, ct)));
            services.AddSingleton(new JobOptions { RetryPause = pause });
        },
    };

    private JobClient Jobs { get; set; } = null!;

    public async Task InitializeAsync()
    {
        await host.InitializeAsync();
        Jobs = new JobClient(host);
    }

    public Task DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task What_may_pass_is_tried_again_and_every_try_is_told()
    {
        launcher!.Failures = 2;
        (await Jobs.PutAsync("third-time", """{"command":"echo ran"}""")).Ok();
        var (job, log) = await Jobs.EndAsync("third-time");
        Assert.Equal(("Completed", "ran\n", "3"), (job.At("properties.status"), log, job["properties"]!["properties"]!["zaffre.attempt"]!.ToString()));
        Assert.Equal(3, launcher.Starts);
        var told = await SystemLogAsync("third-time");
        Assert.Contains("try 1 of 3 failed before the command began: (LaunchFailed) The sandbox is tired", told, StringComparison.Ordinal);
        Assert.Contains("try 2 of 3", told, StringComparison.Ordinal);
        Assert.Equal(["write", "queued", "retrying", "queued", "retrying", "queued", "running", "completed"], await EventsAsync("third-time"));

        // The folder goes after the end is told.
        bool Left() => Directory.EnumerateDirectories(Path.Combine(host.Root, "tasks")).Any(path => path.Contains("third-time", StringComparison.Ordinal));
        for (var i = 0; i < 400 && Left(); i++)
        {
            await Task.Delay(25);
        }

        Assert.False(Left());
    }

    [Fact]
    public async Task What_does_not_pass_ends_the_job_after_the_last_try_and_what_never_passes_after_the_first()
    {
        launcher!.Failures = 100;
        (await Jobs.PutAsync("never", """{"command":"true"}""")).Ok();
        var (job, _) = await Jobs.EndAsync("never");
        Assert.Equal(("Failed", "LaunchFailed", 3), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString(), launcher.Starts));

        (launcher.Transient, launcher.Starts) = (false, 0);
        (await Jobs.PutAsync("not-once", """{"command":"true"}""")).Ok();
        (job, _) = await Jobs.EndAsync("not-once");
        Assert.Equal(("Failed", 1), (job.At("properties.status"), launcher.Starts));
    }

    [Fact]
    public async Task A_command_that_began_is_not_tried_again_however_it_ends()
    {
        (await Jobs.PutAsync("began", """{"command":"exit 125"}""")).Ok();
        var (job, _) = await Jobs.EndAsync("began");
        Assert.Equal(("Failed", "UserError", 1), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString(), launcher!.Starts));
    }

    [Fact]
    public async Task The_next_try_comes_after_a_restart_too()
    {
        await RestartAsync(TimeSpan.FromSeconds(2));
        launcher!.Failures = 1;
        (await Jobs.PutAsync("later", """{"command":"true"}""")).Ok();
        await TriedAsync("later");
        await RestartAsync(TimeSpan.FromSeconds(2));
        var (job, _) = await Jobs.EndAsync("later");
        Assert.Equal(("Completed", "2"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.attempt"]!.ToString()));
    }

    [Fact]
    public async Task A_job_that_waits_for_its_next_try_is_canceled_at_once()
    {
        await RestartAsync(TimeSpan.FromHours(1));
        launcher!.Failures = 1;
        (await Jobs.PutAsync("given-up", """{"command":"true"}""")).Ok();
        await TriedAsync("given-up");
        Assert.Equal(HttpStatusCode.OK, (await Jobs.CancelAsync("given-up")).StatusCode);
        Assert.Equal("Canceled", (await Jobs.Arm.GetAsync("~/jobs/given-up")).Ok().At("properties.status"));
    }

    [Fact]
    public async Task Of_several_processes_of_which_one_began_none_is_tried_again()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        starting = async (id, start, ct) =>
        {
            if (id.Name.EndsWith(".1", StringComparison.Ordinal))
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, ct);
            }

            var started = await start();
            begun.TrySetResult();
            return started;
        };
        (await Jobs.PutAsync("half", """{"command":"echo ran $RANK; sleep 600","distribution":{"distributionType":"PyTorch","processCountPerInstance":2}}""")).Ok();
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));

        // The server goes before the other began, and that cannot begin under the next one.
        starting = (_, _, _) => Task.FromResult<Outcome<RunningTask>>(new Problem(ProblemKind.Invalid, "TaskNotStarted", "The sandbox is tired.") { Transient = true });
        await RestartAsync(pause);
        var (job, _) = await Jobs.EndAsync("half");
        Assert.Equal(("Failed", "LaunchFailed", null), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString(), job["properties"]!["properties"]!["zaffre.attempt"]?.ToString()));
    }

    private async Task RestartAsync(TimeSpan retryPause)
    {
        pause = retryPause;
        await host.RestartAsync();
    }

    private async Task TriedAsync(string job)
    {
        for (var cursor = 0L; !(await EventsAsync(job)).Contains("retrying");)
        {
            cursor = await host.Get<IEventLog>().WaitAsync(cursor, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    private async Task<string[]> EventsAsync(string job)
    {
        var events = await host.Get<IEventLog>().ReadAsync(0, 10_000, CancellationToken.None);
        return [.. events.Where(e => e.Subject.EndsWith("/jobs/" + job, StringComparison.Ordinal)).Select(e => e.Action.Split('/')[^1]).Where(action => action != "preparing")];
    }

    private Task<string> SystemLogAsync(string job) =>
        File.ReadAllTextAsync(Directory.EnumerateFiles(Path.Combine(host.Root, "blobs"), "zaffre.txt", SearchOption.AllDirectories).Single(path => path.Contains("dcid." + job, StringComparison.Ordinal)));

    /// <summary>The real launcher, which fails to start for some time.</summary>
    private sealed class FlakyLauncher(ITaskLauncher real, Func<TaskId, Func<Task<Outcome<RunningTask>>>, CancellationToken, Task<Outcome<RunningTask>>> starting) : ITaskLauncher
    {
        public int Failures { get; set; }

        public int Starts { get; set; }

        public bool Transient { get; set; } = true;

        public Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct)
        {
            Starts++;
            return Failures-- > 0
                ? Task.FromResult<Outcome<RunningTask>>(new Problem(ProblemKind.Invalid, "TaskNotStarted", "The sandbox is tired.") { Transient = Transient })
                : real.StartAsync(spec, ct);
        }

        public Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct) => starting(id, () => real.StartPreparedAsync(id, ct), ct);

        public Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct) => real.PrepareAsync(spec, ct);

        public IReadOnlySet<string> Names() => real.Names();

        public Task<TaskStage> InspectAsync(TaskId id, CancellationToken ct) => real.InspectAsync(id, ct);

        public TimeSpan? Age(TaskId id) => real.Age(id);

        public Task<ExitRecord> WaitAsync(TaskId id, CancellationToken ct) => real.WaitAsync(id, ct);

        public Task StopAsync(TaskId id, StopReason reason, TimeSpan grace, CancellationToken ct) => real.StopAsync(id, reason, grace, ct);

        public Task RemoveAsync(TaskId id, CancellationToken ct) => real.RemoveAsync(id, ct);
    }
}
