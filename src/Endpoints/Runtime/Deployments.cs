using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Zaffre.Endpoints.Data;

namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// One loop for each deployment, started for every row at start-up and for new rows when they are committed. The loops end with
/// the server; instances do not.
/// </summary>
internal sealed class Deployments(IServiceProvider services, ServingSignals signals) : BackgroundService
{
    private readonly ConcurrentDictionary<string, DeploymentLoop> loops = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationToken ending;
    private volatile bool started;

    private void Wake(string rowKey)
    {
        if (started && !ending.IsCancellationRequested)
        {
            loops.GetOrAdd(rowKey, key => Begin(key)).Wake();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ending = stoppingToken;
        signals.OnDeployment(Wake);
        started = true;
        foreach (var row in await services.GetRequiredService<DeploymentStore>().ListAsync(stoppingToken))
        {
            Wake(row.RowKey);
        }

        using var registration = stoppingToken.Register(() => stopping.TrySetResult());
        await stopping.Task;
        await Task.WhenAll(loops.Values.Select(l => l.Running));
    }

    private DeploymentLoop Begin(string rowKey)
    {
        var loop = ActivatorUtilities.CreateInstance<DeploymentLoop>(services, rowKey);
        loop.Start(() => loops.TryRemove(rowKey, out _), ending);
        return loop;
    }
}
