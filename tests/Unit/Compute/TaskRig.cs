using Microsoft.Extensions.Logging.Abstractions;
using Zaffre.Compute;
using Zaffre.Compute.Launch;
using Zaffre.Identity;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>A launcher over a data directory of its own, closed to everybody else, with the sandbox of this host.</summary>
public class TaskRig : IDisposable
{
    private int next;

    public TaskRig()
        : this(warm: false)
    {
    }

    private protected TaskRig(bool warm)
    {
        Data = new DataDirectory(Path.Combine(Path.GetTempPath(), "zaffre-tasks-" + Guid.NewGuid().ToString("N")));
        Directory.CreateDirectory(Data.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Admission = new TaskAdmission(new ComputeOptions(), new OnePrincipal());
        Pool = warm ? new WarmPool(Data, ControlGroups.OfHost(), TimeProvider.System, NullLogger<WarmPool>.Instance) : null;
        Launcher = NewLauncher();
        Launcher = Pool is null ? Launcher : new WarmingLauncher(Launcher, WarmAsync);
    }

    internal WarmPool? Pool { get; }

    /// <summary>Returns once a sandbox waits for a task of that shape, where the host allows it.</summary>
    public async Task WarmAsync(TaskSpec spec)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        var host = (await Admission.AdmitAsync(CancellationToken.None)).Value;
        var shape = WarmShape.Of(spec with { Limits = HostLimits.Fill(spec.Limits, host) });
        for (var i = 0; i < 400 && Pool!.CountOf(shape) == 0; i++)
        {
            Pool.Want(shape, host);
            await Task.Delay(25);
        }
    }

    public DataDirectory Data { get; }

    public ITaskLauncher Launcher { get; }

    internal ITaskAdmission Admission { get; }

    /// <summary>Another server over the same data directory: it knows of nothing that the first one started.</summary>
    public ITaskLauncher NewLauncher() => new TaskLauncher(Data, Admission, ControlGroups.OfHost(), NullLogger<TaskLauncher>.Instance, Pool);

    /// <summary>A shell line with one writable folder at <c>/mnt/azureml/wd</c>.</summary>
    public TaskSpec Shell(string line, TaskLimits? limits = null)
    {
        var name = FormattableString.Invariant($"task{Interlocked.Increment(ref next)}");
        var work = Data.Path("blobs", name, "work");
        Directory.CreateDirectory(work);
        if (Environment.IsPrivilegedProcess)
        {
            Native.Give(work, new ComputeOptions().TaskUser, new ComputeOptions().TaskUser);
        }

        return new TaskSpec
        {
            Id = new TaskId(name, 0),
            Command = TaskSpec.Shell(line),
            WorkingDirectory = "/mnt/azureml/wd",
            LogPath = Data.Path("blobs", name, "log.txt"),
            Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["HOME"] = "/tmp" },
            Binds = [new TaskBind(work, "/mnt/azureml/wd", Writable: true)],
            Limits = limits ?? new TaskLimits(),
        };
    }

    /// <summary>Runs to the end; returns the record and the log.</summary>
    public async Task<(ExitRecord Record, string Log)> RunAsync(TaskSpec spec)
    {
        var started = await Launcher.StartAsync(spec, CancellationToken.None);
        Assert.True(started.Succeeded, started.Problem?.Message);
        var record = await Launcher.WaitAsync(spec.Id, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        return (record, await File.ReadAllTextAsync(spec.LogPath));
    }

    public void Dispose()
    {
        Pool?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        new FileTree(Data).Delete(Data.Root);
        GC.SuppressFinalize(this);
    }

    /// <summary>Sees to it that a sandbox waits before each start.</summary>
    private sealed class WarmingLauncher(ITaskLauncher launcher, Func<TaskSpec, Task> warm) : ITaskLauncher
    {
        public async Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct)
        {
            await warm(spec);
            return await launcher.StartAsync(spec, ct);
        }

        public Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct) => launcher.PrepareAsync(spec, ct);

        public Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct) => launcher.StartPreparedAsync(id, ct);

        public IReadOnlySet<string> Names() => launcher.Names();

        public Task<TaskStage> InspectAsync(TaskId id, CancellationToken ct) => launcher.InspectAsync(id, ct);

        public Task<ExitRecord> WaitAsync(TaskId id, CancellationToken ct) => launcher.WaitAsync(id, ct);

        public Task StopAsync(TaskId id, StopReason reason, TimeSpan grace, CancellationToken ct) => launcher.StopAsync(id, reason, grace, ct);

        public Task RemoveAsync(TaskId id, CancellationToken ct) => launcher.RemoveAsync(id, ct);
    }

    private sealed class OnePrincipal : IPrincipals
    {
        public Task<CreatedPrincipal> CreateAsync(string name, string actor, CancellationToken ct) => throw new NotSupportedException();

        public Task<Principal?> FindAsync(string id, CancellationToken ct) => Task.FromResult<Principal?>(null);

        public Task<IReadOnlyList<Principal>> ListAsync(CancellationToken ct) =>
            Task.FromResult<IReadOnlyList<Principal>>([new Principal("o", "c", "owner", DateTimeOffset.UnixEpoch)]);

        public Task<bool> DeleteAsync(string id, string actor, CancellationToken ct) => Task.FromResult(false);
    }
}
