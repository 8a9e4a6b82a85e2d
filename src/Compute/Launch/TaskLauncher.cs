using System.Collections.Concurrent;
using System.ComponentModel;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>Tasks as folders with a lock; see <c>launch.sh</c> for the other half.</summary>
internal sealed class TaskLauncher(
    DataDirectory data,
    ITaskAdmission admission,
    ControlGroups controlGroups,
    IEnumerable<IUsageSink> sinks,
    ILogger<TaskLauncher> logger) : ITaskLauncher
{
    private readonly LaunchScript script = new(data);
    private readonly FileTree files = new(data);
    private readonly ConcurrentDictionary<TaskId, Task<ExitRecord>> watched = new();

    public async Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct)
    {
        if (!(await PlanAsync(spec, ct).ConfigureAwait(false)).TryGet(out var planned, out var problem))
        {
            return problem;
        }

        var (prepared, plan) = planned;
        return (await LaunchAsync(prepared, plan.Pinned, spec.LogPath, ct).ConfigureAwait(false)).Then<RunningTask>(running => running with { NotLimited = prepared.NotLimited });
    }

    public async Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct)
    {
        if (!TaskFolder.Of(data, id).TryGet(out var folder, out var problem)
            || !(await admission.AdmitAsync(ct).ConfigureAwait(false)).TryGet(out var host, out problem))
        {
            return problem;
        }

        return File.Exists(folder.Plan)
            ? await LaunchAsync(Prepared(id, folder, host), [], log: null, ct).ConfigureAwait(false)
            : new Problem(ProblemKind.NotFound, "TaskNotPrepared", $"Attempt {id.Attempt} of '{id.Name}' was not made ready.");
    }

    private async Task<Outcome<RunningTask>> LaunchAsync(PreparedTask prepared, IReadOnlyList<(string Path, FileIdentity Identity, string At)> pinned, string? log, CancellationToken ct)
    {
        var folder = new TaskFolder(prepared.Folder);
        var launch = new LauncherProcess(prepared, folder);
        var watch = new TaskCompletionSource<ExitRecord>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!watched.TryAdd(prepared.Id, watch.Task))
        {
            return AlreadyStarted(prepared.Id);
        }

        if (pinned.Count == 0 || !await PinnedStart.TryAsync(folder, pinned, () => launch.Start(pinned: true)).ConfigureAwait(false))
        {
            launch.Start(pinned: false);
        }

        _ = CompleteAsync(prepared.Id, folder, launch.Ended, watch);
        return await launch.Running.WaitAsync(ct).ConfigureAwait(false) is { } why
            ? await DescribeAsync(why, prepared.Id, folder, log).ConfigureAwait(false)
            : new RunningTask(prepared.Id, new DateTimeOffset(File.GetLastWriteTimeUtc(folder.Started)));
    }

    public async Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct) =>
        (await PlanAsync(spec, ct).ConfigureAwait(false)).Then<PreparedTask>(planned => planned.Task);

    private async Task<Outcome<(PreparedTask Task, TaskPlan Plan)>> PlanAsync(TaskSpec spec, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (Validate(spec) is { } invalid)
        {
            return invalid;
        }

        if (!TaskFolder.Of(data, spec.Id).TryGet(out var folder, out var problem)
            || !(await admission.AdmitAsync(ct).ConfigureAwait(false)).TryGet(out var host, out problem))
        {
            return problem;
        }

        Directory.CreateDirectory(data.Path("tasks"), OwnerOnly);
        Directory.CreateDirectory(folder.Path, OwnerOnly);
        if (File.Exists(folder.Started) || File.Exists(folder.Exit))
        {
            return AlreadyStarted(spec.Id);
        }

        if (LogFile.Ensure(files, spec.LogPath, host) is { } unwritable)
        {
            return unwritable;
        }

        spec = spec with { Limits = HostLimits.Fill(spec.Limits) };
        var groups = controlGroups.Create(data.Root, spec.Id, spec.Limits);
        var plan = new TaskPlan(data, host, folder, spec, groups);
        if (plan.Write() is { } missing)
        {
            await ControlGroups.RemoveAsync(groups.Folders).ConfigureAwait(false);
            return missing;
        }

        return (Prepared(spec.Id, folder, host) with { NotLimited = [.. host.NotIsolated, .. HostLimits.Missing(spec.Limits, groups)] }, plan);
    }

    private PreparedTask Prepared(TaskId id, TaskFolder folder, HostSandbox host)
    {
        string[] mounts = host is { Root: true, Sandboxed: true } ? ["unshare", "--mount"] : [];
        return new PreparedTask(id, folder.Path, ["setsid", .. mounts, "/bin/sh", script.Path, folder.Path]);
    }

    public IReadOnlySet<string> Names() => Directory.Exists(data.Path("tasks"))
        ? Directory.EnumerateDirectories(data.Path("tasks")).Select(path => Path.GetFileName(path)!).ToHashSet(StringComparer.Ordinal)
        : new HashSet<string>();

    public Task<TaskStage> InspectAsync(TaskId id, CancellationToken ct) => Task.FromResult(
        !TaskFolder.Of(data, id).TryGet(out var folder, out _) || !File.Exists(folder.Started) && !File.Exists(folder.Exit) ? TaskStage.Unknown
        : File.Exists(folder.Exit) ? TaskStage.Ended
        : TaskLock.IsHeld(folder) ? TaskStage.Running
        : File.Exists(folder.Exit) ? TaskStage.Ended
        : TaskStage.Lost);

    public TimeSpan? Age(TaskId id) => TaskFolder.Of(data, id).TryGet(out var folder, out _) ? TaskProcesses.Age(folder) : null;

    public Task<ExitRecord> WaitAsync(TaskId id, CancellationToken ct)
    {
        var folder = TaskFolder.Of(data, id).Value;
        if (watched.TryGetValue(id, out var ended))
        {
            return ended.WaitAsync(ct);
        }

        if (ExitRecords.Read(folder) is { } record)
        {
            return Task.FromResult(record);
        }

        var watch = new TaskCompletionSource<ExitRecord>(TaskCreationOptions.RunContinuationsAsynchronously);
        ended = watched.GetOrAdd(id, watch.Task);
        if (ended == watch.Task)
        {
            _ = CompleteAsync(id, folder, TaskLock.ReleasedAsync(folder), watch);
        }

        return ended.WaitAsync(ct);
    }

    public async Task StopAsync(TaskId id, StopReason reason, TimeSpan grace, CancellationToken ct)
    {
        var folder = TaskFolder.Of(data, id).Value;
        if (!Directory.Exists(folder.Path))
        {
            return;
        }

        RecordStop(folder, reason);
        if (await InspectAsync(id, ct).ConfigureAwait(false) is not TaskStage.Running)
        {
            return;
        }

        var over = WaitAsync(id, CancellationToken.None);
        TaskProcesses.Terminate(folder);
        try
        {
            await over.WaitAsync(grace, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            ComputeLog.Killing(logger, id.Name, id.Attempt);
            TaskProcesses.Kill(folder);
            await over.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    public async Task RemoveAsync(TaskId id, CancellationToken ct)
    {
        var folder = TaskFolder.Of(data, id).Value;
        watched.TryRemove(id, out _);
        await ControlGroups.RemoveAsync(folder.ContainingAll("group")).ConfigureAwait(false);
        files.Delete(folder.Path);
        if (Path.GetDirectoryName(folder.Path) is { } parent && Directory.Exists(parent) && !Directory.EnumerateFileSystemEntries(parent).Any())
        {
            Directory.Delete(parent);
        }
    }

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static Problem AlreadyStarted(TaskId id) => new(ProblemKind.Conflict, "TaskAlreadyStarted", $"Attempt {id.Attempt} of '{id.Name}' was started before; an attempt runs once.");

    private static Problem? Validate(TaskSpec spec)
    {
        var bad = spec.Environment.Keys.FirstOrDefault(k => k.Length == 0 || k.Contains('=', StringComparison.Ordinal) || k.Contains('\0', StringComparison.Ordinal));
        if (bad is not null)
        {
            return new Problem(ProblemKind.Invalid, "InvalidEnvironmentVariable", $"'{bad}' cannot name an environment variable.") { Target = "environmentVariables" };
        }

        return spec.Command.Count == 0 || spec.Command.Concat(spec.Environment.Values).Any(v => v.Contains('\0', StringComparison.Ordinal))
            ? new Problem(ProblemKind.Invalid, "InvalidCommand", "The command is empty, or it or a variable holds a NUL character.") { Target = "command" }
            : null;
    }

    private static void RecordStop(TaskFolder folder, StopReason reason)
    {
        try
        {
            using var file = new FileStream(folder.Stop, FileMode.CreateNew, FileAccess.Write);
            file.Write(System.Text.Encoding.UTF8.GetBytes(reason.ToString()));
        }
        catch (IOException) when (File.Exists(folder.Stop))
        {
            // The first reason stays.
        }
    }

    private async Task<Outcome<RunningTask>> DescribeAsync(string why, TaskId id, TaskFolder folder, string? log)
    {
        if (why.StartsWith("refused", StringComparison.Ordinal))
        {
            return AlreadyStarted(id);
        }

        await WaitAsync(id, CancellationToken.None).ConfigureAwait(false);
        var clue = LogFile.LastLine(files, folder.At("launcher.log")) ?? (log is null ? null : LogFile.LastLine(files, log));
        return new Problem(ProblemKind.Invalid, "TaskNotStarted", $"The task did not start: {why}{(clue is null ? "" : $" ({clue})")}.") { Transient = true };
    }

    private async Task CompleteAsync(TaskId id, TaskFolder folder, Task over, TaskCompletionSource<ExitRecord> watch)
    {
        try
        {
            await over.ConfigureAwait(false);
            var record = ExitRecords.Read(folder);
            if (record is null)
            {
                // Without a launcher only a control group still knows which processes are the task's.
                if (folder.Containing("processes") is not null)
                {
                    TaskProcesses.Kill(folder);
                }

                record = ExitRecords.Lost(folder);
                ComputeLog.Lost(logger, id.Name, id.Attempt);
            }

            watch.SetResult(record);
            foreach (var sink in sinks)
            {
                sink.Ended(id, new TaskUsage(record.PeakMemoryBytes, record.CpuSeconds));
            }

            await ControlGroups.RemoveAsync(folder.ContainingAll("group")).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            watch.TrySetException(e);
        }
    }
}
