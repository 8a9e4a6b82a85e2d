using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>
/// Decides the steps that are held: looks at the disk first, then writes what follows, many steps in one unit. Pipelines are decided side by side, each by
/// one at a time. Woken by units that hold a step, and by places that were read; at start it takes up what is held.
/// </summary>
internal sealed class ReuseDecider(ReuseGate gate, Foresight foresight, StepDecisions decisions, DifferenceDetails details, TimeProvider time, ILogger<ReuseDecider> log) : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ReuseReading> readings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> busy = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> again = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> work = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            foreach (var root in await decisions.WaitingAsync(stoppingToken))
            {
                gate.Wake(root);
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
        while (await decisions.DecideAsync(root, memory) is { Count: > 0 } unseen)
        {
            // What the foresight did not come to, or a run that ended meanwhile.
            foreach (var key in unseen)
            {
                await foresight.OriginalAsync(key, memory, ct);
            }
        }

        memory.ForgetVerified();
        if (open.Count == 0)
        {
            readings.TryRemove(root, out _);
        }
    }
}
