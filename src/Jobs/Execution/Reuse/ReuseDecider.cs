using System.Collections.Concurrent;
using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>
/// Decides the steps that are held: looks at the disk first, then writes what follows, many steps in one unit. Pipelines are decided side by side, each by
/// one at a time. Woken by units that hold a step, and by places that were read; at start it takes up what is held.
/// </summary>
internal sealed class ReuseDecider(IDatabase database, ReuseGate gate, Foresight foresight, StepProgress progress, ReusedStep reused, DifferenceDetails details, TimeProvider time, ILogger<ReuseDecider> log)
    : BackgroundService
{
    /// <summary>Most steps decided in one unit, so that it stays short.</summary>
    private const int MostInUnit = 250;

    private const string HeldSql =
        "WITH RECURSIVE tree (k) AS (VALUES (@root) UNION ALL SELECT j.key FROM jobs j JOIN tree ON j.parent = tree.k WHERE j.kind <> 'Command') "
        + "SELECT s.key FROM jobs s JOIN tree ON s.parent = tree.k JOIN jobs p ON p.key = s.parent WHERE s.status = 'NotStarted' AND s.waits = 0 AND s.kind = 'Command' AND p.status = 'Running' ORDER BY s.seq";

    private const string WaitingSql =
        $"SELECT {JobRow.Columns} FROM jobs WHERE status = 'NotStarted' AND waits = 0 AND kind = 'Command' AND parent IN (SELECT key FROM jobs WHERE kind <> 'Command' AND status = 'Running')";

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ReuseReading> readings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> busy = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> again = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> work = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            foreach (var step in await database.ReadAsync(connection => connection.Query<JobRow>(WaitingSql).AsList(), stoppingToken))
            {
                if (ReuseWrites.RootOf(step) is { } root)
                {
                    gate.Wake(root);
                }
            }

            var explaining = ExplainAsync(stoppingToken);
            work[explaining] = true;
            await foreach (var root in gate.Woken.ReadAllAsync(stoppingToken))
            {
                Begin(root, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(work.Keys);
        }
    }

    /// <summary>Completes the texts of decisions with what lies in the manifests, when nobody waits for it any more.</summary>
    private async Task ExplainAsync(CancellationToken ct)
    {
        try
        {
            await foreach (var job in gate.ToExplain.ReadAllAsync(ct))
            {
                await details.CompleteAsync(job, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // What is left is completed when somebody asks for it.
        }
    }

    private void Begin(string root, CancellationToken ct)
    {
        again[root] = true;
        if (busy.TryAdd(root, true))
        {
            var task = Task.Run(() => DecideAsync(root, ct), CancellationToken.None);
            work[task] = true;
            _ = task.ContinueWith(done => work.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task DecideAsync(string root, CancellationToken ct)
    {
        try
        {
            while (again.TryRemove(root, out _))
            {
                await PassAsync(root, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            JobsLog.WorkFailed(log, exception, root);
            again[root] = true;
            await Task.Delay(AfterFailure, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            busy.TryRemove(root, out _);
        }

        if (again.ContainsKey(root))
        {
            gate.Wake(root);
        }
    }

    private async Task PassAsync(string root, CancellationToken ct)
    {
        var memory = gate.MemoryOf(root);
        var reading = readings.GetOrAdd(root, _ => new ReuseReading(time, () => gate.Wake(root)));
        var open = await foresight.LookAsync(root, memory, reading, ct);
        var pass = new Pass(root, memory);
        for (var more = true; more;)
        {
            more = await WriteAsync(pass);
        }

        memory.ForgetVerified();
        if (open.Count == 0)
        {
            readings.TryRemove(root, out _);
        }

        // A run that ended meanwhile may be the one to reuse: it was not looked at.
        if (pass.Unseen)
        {
            again[root] = true;
        }
    }

    private async Task<bool> WriteAsync(Pass pass)
    {
        try
        {
            return await database.WriteAsync(scope => Write(scope, pass), CancellationToken.None);
        }
        catch (ProblemException refused) when (pass.Reusing is { } step)
        {
            // Nothing of the unit was written. The step runs, and says so itself when its output cannot be registered.
            pass.Memory.Verify(step.Key, step.Original, $"the outputs of the job {new ArmId(step.Original).Name} could not be registered: {refused.Problem.Message}");
            return true;
        }
    }

    /// <summary>Decides held steps; true when there are more than one unit should take.</summary>
    private bool Write(WriteScope scope, Pass pass)
    {
        pass.Begin();
        var queue = new Queue<string>(scope.Query<string>(HeldSql, new { root = pass.Root }));
        var decided = 0;
        gate.Decide(queue, () =>
        {
            while (decided < MostInUnit && queue.TryDequeue(out var key))
            {
                decided += Decide(scope, key, pass) ? 1 : 0;
            }
        });
        return queue.Count > 0;
    }

    private bool Decide(WriteScope scope, string key, Pass pass)
    {
        if (StepWrites.FindByKey(scope, key) is not { Status: JobStatus.NotStarted } step)
        {
            return false;
        }

        var choice = StepChoice.Of(scope, step, pass.Memory);
        if (choice.Decision is not { } decision)
        {
            pass.Unseen |= ReferenceEquals(choice, Choice.Look);
            return false;
        }

        // Its plan may have been changed by what was moved.
        step = StepWrites.FindByKey(scope, key)!;
        gate.Save(scope, step, decision);
        if (choice.Original is { } original)
        {
            pass.Reusing = (decision.Key!, original.JobId.Key);
            reused.End(scope, step, original);
            pass.Reusing = null;
        }
        else
        {
            progress.Queue(scope, step);
        }

        return true;
    }

    /// <summary>One look and the units that follow from it.</summary>
    private sealed class Pass(string root, ReuseMemory memory)
    {
        public string Root => root;

        public ReuseMemory Memory => memory;

        public (string Key, string Original)? Reusing { get; set; }

        public bool Unseen { get; set; }

        public void Begin() => Reusing = null;
    }
}
