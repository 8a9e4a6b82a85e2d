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
    ILogger<TaskLauncher> logger,
    WarmPool? warm = null,
    TaskTrash? trash = null) : ITaskLauncher
{
    private readonly LaunchScript script = new(data);
    private readonly FileTree files = new(data);
    private readonly ConcurrentDictionary<TaskId, Task<ExitRecord>> watched = new();

    public async Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct)
    {
        if (!(await AdmitAsync(spec, ct).ConfigureAwait(false)).TryGet(out var admitted, out var problem))
        {
            return problem;
        }

        return await StartAsync(admitted.Folder, new Attempted(spec.Id, spec.LogPath), async () =>
            (await LaunchAsync(admitted).ConfigureAwait(false)).Then<Launch>(launched => launched with { NotLimited = admitted.NotLimited(launched.Groups) }), ct).ConfigureAwait(false);
    }

    public async Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct)
    {
        if (!TaskFolder.Of(data, id).TryGet(out var folder, out var problem)
            || !(await admission.AdmitAsync(ct).ConfigureAwait(false)).TryGet(out var host, out problem))
        {
            return problem;
        }

        if (!File.Exists(folder.Plan))
        {
            return new Problem(ProblemKind.NotFound, "TaskNotPrepared", $"Attempt {id.Attempt} of '{id.Name}' was not made ready.");
        }

        var launch = new LauncherProcess(folder);
        return await StartAsync(folder, new Attempted(id, Log: null), () =>
        {
            launch.Start(script.Path, host is { Root: true, Sandboxed: true } ? LauncherMounts.Own : LauncherMounts.None);
            return Task.FromResult<Outcome<Launch>>(new Launch(launch, TaskGroups.None));
        }, ct).ConfigureAwait(false);
    }

    private async Task<Outcome<RunningTask>> StartAsync(TaskFolder folder, Attempted attempt, Func<Task<Outcome<Launch>>> start, CancellationToken ct)
    {
        var watch = new TaskCompletionSource<ExitRecord>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!watched.TryAdd(attempt.Id, watch.Task))
        {
            return AlreadyStarted(attempt.Id);
        }

        if (!(await start().ConfigureAwait(false)).TryGet(out var launch, out var problem))
        {
            watched.TryRemove(attempt.Id, out _);
            return problem;
        }

        _ = CompleteAsync(attempt.Id, folder, launch.Process.Ended, watch);
        return await launch.Process.Running.WaitAsync(ct).ConfigureAwait(false) is { } why
            ? await DescribeAsync(why, attempt, folder).ConfigureAwait(false)
            : new RunningTask(attempt.Id, new DateTimeOffset(File.GetLastWriteTimeUtc(folder.Started))) { NotLimited = launch.NotLimited };
    }

    public async Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct)
    {
        if (!(await AdmitAsync(spec, ct).ConfigureAwait(false)).TryGet(out var admitted, out var problem)
            || !(await PlanAsync(admitted, direct: false).ConfigureAwait(false)).TryGet(out var planned, out problem))
        {
            return problem;
        }

        string[] mounts = planned.Plan.NeedsMounts ? ["unshare", "--mount"] : [];
        return new PreparedTask(spec.Id, admitted.Folder.Path, ["setsid", .. mounts, "/bin/sh", script.Path, admitted.Folder.Path]) { NotLimited = admitted.NotLimited(planned.Groups) };
    }

    private async Task<Outcome<Launch>> LaunchAsync(AdmittedTask task) =>
        await WarmAsync(task).ConfigureAwait(false) is { } given ? new Launch(given.Launch, given.Groups) : await ColdAsync(task).ConfigureAwait(false);

    /// <summary>Gives the task to a sandbox that is there; null when there is none for it.</summary>
    private async Task<WarmSandbox?> WarmAsync(AdmittedTask task)
    {
        if (File.Exists(task.Folder.Stop) || task.Spec.Gpus.Count > 0 || task.Spec.Binds.Any(bind => bind.Target == BubblewrapArguments.Image) || warm?.Take(WarmShape.Of(task.Spec), task.Host) is not { } sandbox)
        {
            return null;
        }

        // What keeps it from being given is found again, and named, by the start that follows.
        var plan = new TaskPlan(data, task.Host, task.Folder, task.Spec, sandbox.Groups, direct: true);
        if (plan.WarmBinds().TryGet(out var binds, out _) && await sandbox.GiveAsync(binds, task.Host, task.Folder, plan.WarmScript()).ConfigureAwait(false))
        {
            return sandbox;
        }

        await warm.DropAsync(sandbox).ConfigureAwait(false);
        return null;
    }

    private async Task<Outcome<Launch>> ColdAsync(AdmittedTask task)
    {
        if (!(await PlanAsync(task, direct: true).ConfigureAwait(false)).TryGet(out var planned, out var problem))
        {
            return problem;
        }

        var (plan, groups) = planned;
        var launch = new LauncherProcess(task.Folder);
        if (plan.Pinned.Count == 0 || !await PinnedStart.TryAsync(task.Folder, plan.Pinned, () => launch.Start(script.Path, LauncherMounts.Made)).ConfigureAwait(false))
        {
            launch.Start(script.Path, plan.NeedsMounts ? LauncherMounts.Own : LauncherMounts.None);
        }

        return new Launch(launch, groups);
    }

    private async Task<Outcome<AdmittedTask>> AdmitAsync(TaskSpec spec, CancellationToken ct)
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

        return LogFile.Ensure(files, spec.LogPath, host) is { } unwritable
            ? unwritable
            : new AdmittedTask(spec with { Limits = HostLimits.Fill(spec.Limits, host) }, folder, host) { Unbounded = HostLimits.Unbounded(spec.Limits, host) };
    }

    private async Task<Outcome<(TaskPlan Plan, TaskGroups Groups)>> PlanAsync(AdmittedTask task, bool direct)
    {
        var groups = controlGroups.Create(data.Root, task.Spec.Id, task.Spec.Limits);
        var plan = new TaskPlan(data, task.Host, task.Folder, task.Spec, groups, direct);
        if (plan.Write() is { } missing)
        {
            await ControlGroups.RemoveAsync(groups.Folders).ConfigureAwait(false);
            return missing;
        }

        return (plan, groups);
    }

    /// <summary>An attempt as answers name it.</summary>
    private sealed record Attempted(TaskId Id, string? Log);

    /// <summary>A launcher that was started, and what contains its task.</summary>
    private sealed record Launch(LauncherProcess Process, TaskGroups Groups)
    {
        public IReadOnlyList<string> NotLimited { get; init; } = [];
    }

    /// <summary>A task that may run here, with the limits that hold for it.</summary>
    private sealed record AdmittedTask(TaskSpec Spec, TaskFolder Folder, HostSandbox Host)
    {
        /// <summary>Limits that were wanted and that this host's sandbox cannot set, one sentence each.</summary>
        public required IReadOnlyList<string> Unbounded { get; init; }

        public IReadOnlyList<string> NotLimited(TaskGroups groups) => [.. Host.NotIsolated, .. HostLimits.Missing(Spec.Limits, groups), .. Unbounded];
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

    public ITaskMeter? MeterOf(TaskId id) => TaskFolder.Of(data, id).TryGet(out var folder, out _) && File.Exists(folder.Containment) ? new TaskMeter(folder) : null;

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

        // What has ended by itself says so whoever reads its record, however often.
        if (!Directory.Exists(folder.Path) || await InspectAsync(id, ct).ConfigureAwait(false) is TaskStage.Ended)
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
        if (trash?.Take(folder) != true)
        {
            await ControlGroups.RemoveAsync(folder.ContainingAll("group")).ConfigureAwait(false);
            files.Delete(folder.Path);
        }

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
        catch (IOException)
        {
            // The first reason stays. On a full disk none is kept: that must not keep the task alive, and who stops it knows why.
        }
    }

    private async Task<Outcome<RunningTask>> DescribeAsync(string why, Attempted attempt, TaskFolder folder)
    {
        if (why.StartsWith("refused", StringComparison.Ordinal))
        {
            return AlreadyStarted(attempt.Id);
        }

        await WaitAsync(attempt.Id, CancellationToken.None).ConfigureAwait(false);
        var clue = LogFile.LastLine(files, folder.At("launcher.log")) ?? (attempt.Log is null ? null : LogFile.LastLine(files, attempt.Log));
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
            await ControlGroups.RemoveAsync(folder.ContainingAll("group")).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            watch.TrySetException(e);
        }
    }
}
