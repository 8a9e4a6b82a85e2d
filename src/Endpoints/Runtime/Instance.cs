using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Compute;
using Zaffre.Endpoints.Data;
using Zaffre.Gateway;
using Zaffre.Kernel;

namespace Zaffre.Endpoints.Runtime;

/// <summary>One running (or starting) instance: its row, and the wait for its end.</summary>
internal sealed record Instance(WorkerRow Row, Task<ExitRecord> Ended)
{
    public string Id => Row.WorkerId;
}

/// <summary>Starts instances, finds them again, waits until they are ready, ends them.</summary>
internal sealed class Instances(
    ITaskLauncher launcher, DeploymentStore store, DeploymentLogs logs, DataDirectory data, TimeProvider time, ServingOptions? options = null)
{
    private const int MostTold = 64 * 1024;
    private static readonly TimeSpan DrainGrace = TimeSpan.FromSeconds(10);
    private readonly ServingFolder folder = ServingFolder.Open(data);

    /// <summary>The instance of a row when it lives; null when it never started or has ended.</summary>
    public async Task<Instance?> FindAsync(WorkerRow row, CancellationToken ct) =>
        await launcher.InspectAsync(TaskOf(row.WorkerId), ct) == TaskStage.Running ? Watch(row) : null;

    /// <summary>Writes the row, then launches. The row comes first: an instance without a row could never be found again.</summary>
    public async Task<Outcome<Instance>> StartAsync(DeploymentRow deployment, long generation, long slot, DeploymentPlan plan, CancellationToken ct)
    {
        var row = new WorkerRow { WorkerId = $"serve-{Guid.NewGuid():N}"[..22], RowKey = deployment.RowKey, Generation = generation, Slot = slot };
        await store.AddWorkerAsync(row, ct);
        var sockets = folder.Worker(row.WorkerId);
        MakeSocketFolder(sockets, plan.Model);
        Directory.CreateDirectory(logs.FolderOf(deployment.RowKey));
        var spec = new TaskSpec
        {
            Id = TaskOf(row.WorkerId),
            Command = plan.Command,
            WorkingDirectory = plan.WorkingDirectory,
            LogPath = logs.InstanceLog(deployment.RowKey, slot),
            Environment = plan.Variables,
            Binds = [.. plan.Binds, new TaskBind(sockets, DeploymentPlanner.SocketFolder, Writable: true)],
        };
        if ((await launcher.StartAsync(spec, ct)).TryGet(out _, out var problem))
        {
            return Watch(row);
        }

        await ForgetAsync(row);
        return problem;
    }

    /// <summary>Null when the instance is ready; else why it will not be.</summary>
    public async Task<JsonObject?> WaitReadyAsync(Instance instance, DeploymentPlan plan, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var deadline = plan.ReadyWithin ?? options?.StartDeadline ?? TimeSpan.FromMinutes(10);
        limit.CancelAfter(deadline);
        var sockets = folder.Worker(instance.Id);
        var appeared = FileAppearance.WaitAsync(sockets, ["s.sock", "failed"], limit.Token);
        await Task.WhenAny(appeared, instance.Ended);
        await limit.CancelAsync();
        ct.ThrowIfCancellationRequested();
        if (TaskFile.TryRead(sockets, "failed", MostTold) is { } told)
        {
            return Told(told);
        }

        if (Path.Exists(Path.Combine(sockets, "s.sock")))
        {
            return null;
        }

        return instance.Ended.IsCompleted
            ? Failure("InstanceEnded", $"The instance ended before init() was done: {(await instance.Ended).Reason}")
            : Failure("InitTimeout", $"init() did not end within {deadline.TotalSeconds:0} seconds; raise initial_delay, period or failure_threshold of readiness_probe when it needs longer.");
    }

    /// <summary>Ends the instance after the requests that it runs, and forgets it.</summary>
    public async Task StopAsync(Instance instance)
    {
        await launcher.StopAsync(TaskOf(instance.Id), StopReason.Removed, DrainGrace, CancellationToken.None);
        await ForgetAsync(instance.Row);
    }

    /// <summary>Removes what an ended instance left: task folder, socket folder, row. Its log stays.</summary>
    public async Task ForgetAsync(WorkerRow row)
    {
        await launcher.RemoveAsync(TaskOf(row.WorkerId), CancellationToken.None);
        TaskFile.DeleteFolder(data, folder.Worker(row.WorkerId));
        await store.RemoveWorkerAsync(row.WorkerId, CancellationToken.None);
    }

    public static JsonObject Failure(string code, string message, string? line = null, string? traceback = null) =>
        new() { ["code"] = code, ["message"] = message, ["line"] = line, ["traceback"] = traceback };

    private Instance Watch(WorkerRow row) => new(row, launcher.WaitAsync(TaskOf(row.WorkerId), CancellationToken.None));

    private static TaskId TaskOf(string worker) => new(worker, 1);

    // The worker's user is not ours: it must be able to make its sockets here. The name is not guessable and the parent not listable.
    private static void MakeSocketFolder(string path, string? model)
    {
        Directory.CreateDirectory(path);
        const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(path, all | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        if (model is not null)
        {
            var description = Path.Combine(path, "model.json");
            File.WriteAllText(description, model);
            File.SetUnixFileMode(description, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
    }

    private static JsonObject Told(string failed)
    {
        try
        {
            var told = JsonNode.Parse(failed) as JsonObject ?? [];
            return told.Text("code") is ("ModelLoadFailed" or "ModelFilesMissing") and var code
                ? Failure(code, told.Text("message") ?? "")
                : Failure("ScoringScriptFailed", $"init() of the scoring script failed: {told.Text("message")}", told.Text("line"), told.Text("told"));
        }
        catch (JsonException)
        {
            return Failure("ScoringScriptFailed", "init() of the scoring script failed.");
        }
    }

    /// <summary>The time, for backoff.</summary>
    public DateTimeOffset Now => time.GetUtcNow();
}
