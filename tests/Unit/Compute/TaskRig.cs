using Microsoft.Extensions.Logging.Abstractions;
using Zaffre.Compute;
using Zaffre.Compute.Launch;
using Zaffre.Identity;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>A launcher over a data directory of its own, closed to everybody else, with the sandbox of this host.</summary>
public sealed class TaskRig : IDisposable
{
    private int next;

    public TaskRig()
    {
        Data = new DataDirectory(Path.Combine(Path.GetTempPath(), "zaffre-tasks-" + Guid.NewGuid().ToString("N")));
        Directory.CreateDirectory(Data.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Admission = new TaskAdmission(new ComputeOptions(), new OnePrincipal());
        Launcher = NewLauncher();
    }

    public DataDirectory Data { get; }

    public ITaskLauncher Launcher { get; }

    internal ITaskAdmission Admission { get; }

    /// <summary>Another server over the same data directory: it knows of nothing that the first one started.</summary>
    public ITaskLauncher NewLauncher() => new TaskLauncher(Data, Admission, ControlGroups.OfHost(), [], NullLogger<TaskLauncher>.Instance);

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

    public void Dispose() => new FileTree(Data).Delete(Data.Root);

    private sealed class OnePrincipal : IPrincipals
    {
        public Task<CreatedPrincipal> CreateAsync(string name, string actor, CancellationToken ct) => throw new NotSupportedException();

        public Task<Principal?> FindAsync(string id, CancellationToken ct) => Task.FromResult<Principal?>(null);

        public Task<IReadOnlyList<Principal>> ListAsync(CancellationToken ct) =>
            Task.FromResult<IReadOnlyList<Principal>>([new Principal("o", "c", "owner", DateTimeOffset.UnixEpoch)]);

        public Task<bool> DeleteAsync(string id, string actor, CancellationToken ct) => Task.FromResult(false);
    }
}
