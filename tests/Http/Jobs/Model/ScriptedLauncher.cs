using System.Collections.Concurrent;
using Zaffre.Compute;
using Zaffre.Kernel;

namespace Zaffre.Tests.Http.Jobs.Model;

/// <summary>
/// Tasks without processes: each lives until the test ends it, and survives a restart of the server as real ones do. A command
/// <c>write WHO TAG OUTPUT FLAG INPUT...</c> that ends well writes what <see cref="PipelineModel.Written"/> and its flag say; <c>-</c> is the job's name.
/// </summary>
internal sealed class ScriptedLauncher : ITaskLauncher
{
    private readonly ConcurrentDictionary<TaskId, Scripted> tasks = new();
    private readonly ConcurrentDictionary<string, int> starts = new(StringComparer.Ordinal);

    /// <summary>How often the task of each job was started.</summary>
    public IReadOnlyDictionary<string, int> Starts => starts;

    /// <summary>The jobs that have a living task and whose names begin so.</summary>
    public string[] Living(string prefix) => [.. tasks.Values
        .Where(task => !task.Ended.Task.IsCompleted && task.Job.StartsWith(prefix, StringComparison.Ordinal)).Select(task => task.Job).Order(StringComparer.Ordinal)];

    /// <summary>Ends the command of a job.</summary>
    public void End(string job, int code)
    {
        var task = tasks.Values.Single(task => task.Job == job && !task.Ended.Task.IsCompleted);
        if (code == 0)
        {
            task.Write();
        }

        task.Ended.TrySetResult(new ExitRecord { ExitCode = code, Reason = "scripted" });
    }

    public Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct)
    {
        var task = new Scripted(spec);
        if (!tasks.TryAdd(spec.Id, task))
        {
            return Task.FromResult<Outcome<RunningTask>>(new Problem(ProblemKind.Conflict, "AlreadyStarted", "started before"));
        }

        starts.AddOrUpdate(task.Job, 1, (_, before) => before + 1);
        return Task.FromResult<Outcome<RunningTask>>(new RunningTask(spec.Id, DateTimeOffset.UtcNow));
    }

    public Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct) => throw new NotSupportedException();

    public Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct) => throw new NotSupportedException();

    public Task<TaskStage> InspectAsync(TaskId id, CancellationToken ct) =>
        Task.FromResult(!tasks.TryGetValue(id, out var task) ? TaskStage.Unknown : task.Ended.Task.IsCompleted ? TaskStage.Ended : TaskStage.Running);

    public Task<ExitRecord> WaitAsync(TaskId id, CancellationToken ct) => tasks.TryGetValue(id, out var task)
        ? task.Ended.Task.WaitAsync(ct)
        : Task.FromResult(new ExitRecord { Lost = true, Reason = "never started" });

    public Task StopAsync(TaskId id, StopReason reason, TimeSpan grace, CancellationToken ct)
    {
        tasks.GetValueOrDefault(id)?.Ended.TrySetResult(new ExitRecord { ExitCode = 143, Stopped = reason, Reason = "stopped" });
        return Task.CompletedTask;
    }

    public Task RemoveAsync(TaskId id, CancellationToken ct)
    {
        tasks.TryRemove(id, out _);
        return Task.CompletedTask;
    }

    public IReadOnlySet<string> Names() => tasks.Keys.Select(id => id.Name).ToHashSet(StringComparer.Ordinal);

    private sealed record Scripted(TaskSpec Spec)
    {
        /// <summary>A task is called after its job, with a digest behind.</summary>
        public string Job { get; } = Spec.Id.Name[..Spec.Id.Name.LastIndexOf('.')];

        public TaskCompletionSource<ExitRecord> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Write()
        {
            if (Spec.Command[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries) is not ["write", var who, var tag, var output, var flag, .. var inputs])
            {
                throw new InvalidOperationException($"'{Spec.Command[^1]}' is no command of this launcher.");
            }

            var text = PipelineModel.Written(who == "-" ? Job : who, tag, inputs.Select(input => File.ReadAllText(OnHost(input))));
            File.WriteAllText(OnHost(output), text);
            File.WriteAllText(OnHost(flag), PipelineModel.Flag(text) ? "true" : "false");
        }

        private string OnHost(string path) => Spec.Binds
            .Where(bind => path == bind.Target || path.StartsWith(bind.Target + "/", StringComparison.Ordinal))
            .OrderByDescending(bind => bind.Target.Length)
            .Select(bind => bind.Source + path[bind.Target.Length..])
            .First();
    }
}
