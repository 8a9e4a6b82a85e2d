using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Zaffre.Compute;
using Zaffre.Endpoints.Data;
using Zaffre.Endpoints.Online;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// Brings one deployment to what its row asks for: starts the wanted generation and lets it take over, starts instances again that
/// died, ends everything when the row is being deleted. Woken by commits and by instances that end; does one thing at a time.
/// </summary>
internal sealed class DeploymentLoop(
    string rowKey, DeploymentStore store, DeploymentPlanner planner, Instances instances, DeploymentOutcome outcome, DeploymentLogs logs,
    OnnxGenerations models, GatewayKeeper gateway, ILogger<DeploymentLoop> log) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(60);
    private readonly Channel<bool> wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, Instance> living = new(StringComparer.Ordinal);
    private CancellationTokenSource turn = new();
    private TimeSpan pause = TimeSpan.Zero;
    private DateTimeOffset lastStart;
    private bool adopted;

    public Task Running { get; private set; } = Task.CompletedTask;

    public void Start(Action ended, CancellationToken ct) => Running = Task.Run(() => RunAsync(ended, ct), CancellationToken.None);

    /// <summary>The row has changed: what is being waited for may be moot.</summary>
    public void Wake()
    {
        wakes.Writer.TryWrite(true);
        turn.Cancel();
    }

    public void Dispose() => turn.Dispose();

    private static WorkspaceRef WorkspaceOf(DeploymentRow row) => WorkspaceRef.TryParse(row.DeploymentId, out var workspace, out _)
        ? workspace
        : throw new InvalidOperationException($"'{row.DeploymentId}' names no workspace");

    private async Task RunAsync(Action ended, CancellationToken ct)
    {
        var name = rowKey;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                turn = CancellationTokenSource.CreateLinkedTokenSource(ct);
                var row = await store.FindByKeyAsync(rowKey, ct);
                if (row is null || row.State == DeploymentState.Deleting)
                {
                    await EndAsync(row);
                    ended();
                    return;
                }

                name = row.Id.Name;
                await AdoptAsync(row, ct);
                await ReconcileAsync(row, turn.Token);
                await Task.WhenAny([wakes.Reader.WaitToReadAsync(turn.Token).AsTask(), .. living.Values.Select(i => i.Ended)]);
            }
            catch (OperationCanceledException)
            {
                // Woken in the middle of a wait, or the server ends.
            }
            catch (Exception e)
            {
                log.LoopError(e, name);
                await Task.Delay(LongestPause, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            wakes.Reader.TryRead(out _);
        }
    }

    // After a restart of the server: what lives is taken over, what does not is forgotten.
    private async Task AdoptAsync(DeploymentRow row, CancellationToken ct)
    {
        if (adopted)
        {
            return;
        }

        foreach (var worker in await store.WorkersOfAsync(rowKey, ct))
        {
            if (await instances.FindAsync(worker, ct) is { } instance)
            {
                living[instance.Id] = instance;
                log.InstanceAdopted(instance.Id, row.Id.Name);
            }
            else
            {
                await instances.ForgetAsync(worker);
            }
        }

        adopted = true;
    }

    private async Task ReconcileAsync(DeploymentRow row, CancellationToken ct)
    {
        await ForgetDeadAsync(row);
        if (row.State is DeploymentState.Creating or DeploymentState.Updating)
        {
            await RollAsync(row, ct);
            row = await store.FindByKeyAsync(rowKey, ct) ?? row;
        }

        if (row.Live is { } live && row.ParseLive() is { } document)
        {
            foreach (var old in living.Values.Where(i => i.Row.Generation != live).ToList())
            {
                await StopAsync(old);
            }

            if (row.LiveModels is null)
            {
                await HealAsync(row, live, document, ct);
            }
            else if (row.State == DeploymentState.Succeeded && models.RefusalOf(row) is { } refusal)
            {
                await FailAsync(row, refusal);
            }
        }
    }

    // Starts the wanted generation beside the live one; the first failure ends the attempt.
    private async Task RollAsync(DeploymentRow row, CancellationToken ct)
    {
        var document = row.ParseDocument();
        logs.Prepare(rowKey, $"Preparing generation {row.Wanted}");
        if (!(await planner.PlanAsync(WorkspaceOf(row), document, ct)).TryGet(out var plan, out var problem))
        {
            await FailAsync(row, Instances.Failure(problem.Code, problem.Message));
            return;
        }

        logs.Prepare(rowKey, plan.Explanation);
        await store.SetRuntimeAsync(rowKey, plan.Runtime, ct);
        if (plan.Onnx is { } onnx)
        {
            await RollModelsAsync(row, onnx, plan.ReadyWithin, ct);
            return;
        }

        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var waits = new List<Task<JsonObject?>>();
        for (var slot = 0; slot < DeploymentValidation.CapacityOf(document); slot++)
        {
            waits.Add(StartOneAsync(row, row.Wanted, slot, plan, attempt.Token));
        }

        await foreach (var wait in Task.WhenEach(waits))
        {
            if (await wait is { } failure)
            {
                await attempt.CancelAsync();
                await ((Task)Task.WhenAll(waits)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await FailAsync(row, failure);
                return;
            }
        }

        var fresh = living.Values.Where(i => i.Row.Generation == row.Wanted).ToList();
        if (await outcome.SucceedAsync(row, [.. fresh.Select(i => i.Id)]))
        {
            fresh.ForEach(i => living[i.Id] = i with { Row = DeploymentOutcome.AsReady(i.Row) });
            log.DeploymentServes(row.Id.Name, row.Wanted);
            await gateway.PushAsync(ct);
            models.RemoveOthers(row, row.Wanted);
        }
    }

    // Models that the gateway scores itself have no instances: they serve once it has loaded them.
    private async Task RollModelsAsync(DeploymentRow row, OnnxSource source, TimeSpan? within, CancellationToken ct)
    {
        if (!(await models.PrepareAsync(row, source, within, ct)).TryGet(out var route, out var problem))
        {
            await FailAsync(row, Instances.Failure(problem.Code, problem.Message));
            return;
        }

        if (await outcome.SucceedAsync(row, [], route.ToJson()))
        {
            log.DeploymentServes(row.Id.Name, row.Wanted);
            await gateway.PushAsync(ct);
            models.RemoveOthers(row, row.Wanted);
        }
    }

    /// <summary>The living instance of the slot, or a new one, once it is ready; else why not.</summary>
    private async Task<JsonObject?> StartOneAsync(DeploymentRow row, long generation, long slot, DeploymentPlan plan, CancellationToken ct)
    {
        Instance? instance;
        lock (living)
        {
            instance = living.Values.FirstOrDefault(i => i.Row.Generation == generation && i.Row.Slot == slot && !i.Ended.IsCompleted);
        }

        if (instance is null)
        {
            if (!(await instances.StartAsync(row, generation, slot, plan, CancellationToken.None)).TryGet(out instance, out var problem))
            {
                return Instances.Failure(problem.Code, problem.Message);
            }

            lock (living)
            {
                living[instance.Id] = instance;
            }
        }

        return await instances.WaitReadyAsync(instance, plan, ct);
    }

    private async Task FailAsync(DeploymentRow row, JsonObject failure)
    {
        log.DeploymentFailed(row.Id.Name, row.Wanted, failure.Text("code") ?? "");
        logs.Prepare(rowKey, $"Failed: {failure.Text("code")}: {failure.Text("message")}");
        await outcome.FailAsync(row, failure);
        foreach (var instance in living.Values.Where(i => i.Row.Generation == row.Wanted).ToList())
        {
            await StopAsync(instance);
        }
    }

    private async Task ForgetDeadAsync(DeploymentRow row)
    {
        var changed = false;
        foreach (var dead in living.Values.Where(i => i.Ended.IsCompleted && (row.State is not (DeploymentState.Creating or DeploymentState.Updating) || i.Row.Generation != row.Wanted)).ToList())
        {
            log.InstanceEnded(dead.Id, row.Id.Name, (await dead.Ended).Reason);
            logs.Prepare(rowKey, $"Instance {dead.Row.Slot} ended: {(await dead.Ended).Reason}");
            living.Remove(dead.Id);
            await instances.ForgetAsync(dead.Row);
            changed = true;
        }

        if (changed)
        {
            gateway.Changed();
        }
    }

    // Starts what is missing of the live generation, with a growing pause when instances do not stay.
    private async Task HealAsync(DeploymentRow row, long live, JsonObject document, CancellationToken ct)
    {
        var missing = Enumerable.Range(0, DeploymentValidation.CapacityOf(document))
            .Where(slot => !living.Values.Any(i => i.Row.Generation == live && i.Row.Slot == slot && i.Row.Ready == 1))
            .ToList();
        if (missing.Count == 0)
        {
            return;
        }

        if (instances.Now - lastStart > HealthyAfter)
        {
            pause = TimeSpan.Zero;
        }

        await Task.Delay(pause, ct);
        pause = pause == TimeSpan.Zero ? FirstPause : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        lastStart = instances.Now;
        if (!(await planner.PlanAsync(WorkspaceOf(row), document, ct)).TryGet(out var plan, out var problem))
        {
            logs.Prepare(rowKey, $"An instance could not be started again: {problem.Code}: {problem.Message}");
            wakes.Writer.TryWrite(true);
            return;
        }

        await Task.WhenAll(missing.Select(slot => HealOneAsync(row, live, slot, plan, ct)));
        gateway.Changed();
        wakes.Writer.TryWrite(true);
    }

    private async Task HealOneAsync(DeploymentRow row, long live, int slot, DeploymentPlan plan, CancellationToken ct)
    {
        if (await StartOneAsync(row, live, slot, plan, ct) is { } failure)
        {
            logs.Prepare(rowKey, $"Instance {slot} did not come up: {failure.Text("code")}: {failure.Text("message")}");
            return;
        }

        Instance ready;
        lock (living)
        {
            ready = living.Values.First(i => i.Row.Generation == live && i.Row.Slot == slot && !i.Ended.IsCompleted);
            living[ready.Id] = ready with { Row = DeploymentOutcome.AsReady(ready.Row) };
        }

        await store.SetReadyAsync(ready.Id, CancellationToken.None);
    }

    private async Task StopAsync(Instance instance)
    {
        living.Remove(instance.Id);
        await instances.StopAsync(instance);
    }

    private async Task EndAsync(DeploymentRow? row)
    {
        foreach (var worker in await store.WorkersOfAsync(rowKey, CancellationToken.None))
        {
            if (!living.ContainsKey(worker.WorkerId) && await instances.FindAsync(worker, CancellationToken.None) is { } found)
            {
                living[found.Id] = found;
            }
        }

        await gateway.PushAsync(CancellationToken.None);
        await Task.WhenAll(living.Values.Select(instances.StopAsync));
        await outcome.RemoveAsync(row, rowKey);
        if (Directory.Exists(logs.FolderOf(rowKey)))
        {
            Directory.Delete(logs.FolderOf(rowKey), recursive: true);
        }
    }
}
