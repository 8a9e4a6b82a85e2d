using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Zaffre.Gateway;
using Zaffre.Identity;
using Zaffre.Kernel;

namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// Keeps one gateway process alive and its table current. The gateway is in a session of its own and survives the server;
/// a server that starts takes over the one it finds. Without <see cref="ServingOptions"/> it does nothing.
/// </summary>
internal sealed class GatewayKeeper(RoutingTables tables, ServingSignals signals, ITokenAccess access, DataDirectory data, ILogger<GatewayKeeper> log, ServingOptions? options = null) : BackgroundService
{
    private static readonly TimeSpan PushWait = TimeSpan.FromSeconds(5);
    private readonly Channel<TaskCompletionSource?> wishes = Channel.CreateUnbounded<TaskCompletionSource?>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ServingFolder folder = ServingFolder.Open(data);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<string, OnnxRefusal> refusals = new(StringComparer.Ordinal);
    private GatewayClient? client;

    /// <summary>What the table is made of has changed.</summary>
    public void Changed() => wishes.Writer.TryWrite(null);

    /// <summary>Completes when the gateway routes by what is committed now, or after a few seconds when no gateway answers (it gets the table when it does).</summary>
    public async Task PushAsync(CancellationToken ct)
    {
        if (options is null)
        {
            return;
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        wishes.Writer.TryWrite(done);
        await done.Task.WaitAsync(PushWait, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>What the gateway counted for each deployment; empty while none answers.</summary>
    public async Task<IReadOnlyList<DeploymentCounters>> CountersAsync(CancellationToken ct)
    {
        try
        {
            return client is { } present ? await present.CountersAsync(ct) : [];
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return [];
        }
    }

    /// <summary>Has the gateway load models; waits for a gateway when there is none, and asks again when it dies of them until it refuses.</summary>
    public async Task<OnnxAnswer> PrepareAsync(OnnxRoute route, CancellationToken ct)
    {
        if (options is null)
        {
            return new OnnxAnswer { Code = "OperationNotSupported", Message = "This server has no gateway, and ONNX models are scored by it." };
        }

        while (true)
        {
            try
            {
                if (client is { } present)
                {
                    return await present.PrepareAsync(route, ct);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                log.ModelsNotPrepared(route.Folder, e.Message);
            }

            await Task.Delay(Retry, ct);
        }
    }

    /// <summary>Why the gateway does not serve the models of a folder; null when it does, or was not asked to.</summary>
    public OnnxRefusal? RefusalOf(string folder) => refusals.GetValueOrDefault(folder);

    public override void Dispose()
    {
        client?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options is null)
        {
            return;
        }

        client = new GatewayClient(folder);
        signals.OnTable(Changed);
        access.OnChanged(Changed);
        var pause = TimeSpan.FromMilliseconds(50);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var running = await EnsureAsync(options, stoppingToken);
                if (running is null)
                {
                    log.GatewayDidNotStart(data.Path("gateway", "gateway.log"));
                    await Task.Delay(pause, stoppingToken);
                    pause = TimeSpan.FromMilliseconds(Math.Min(pause.TotalMilliseconds * 2, 10_000));
                    continue;
                }

                pause = TimeSpan.FromMilliseconds(50);
                await ServeAsync(running, stoppingToken);
                log.GatewayGone(running.ProcessId);
                await Task.Delay(pause, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    // Pushes until the gateway is gone.
    private async Task ServeAsync(GatewayStatus running, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var gone = client!.WaitUntilGoneAsync(ended.Token);
        var version = running.TableVersion;
        var waiting = new List<TaskCompletionSource>();
        Task? refused = null;
        try
        {
            while (!gone.IsCompleted)
            {
                while (wishes.Reader.TryRead(out var wish))
                {
                    if (wish is not null)
                    {
                        waiting.Add(wish);
                    }
                }

                var table = await tables.BuildAsync(version + 1, ct);
                await client.PushAsync(table, ct);
                refused ??= AskRefusedAsync(ended.Token);
                version = table.Version;
                waiting.ForEach(w => w.TrySetResult());
                waiting.Clear();
                using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
                await Task.WhenAny(gone, wishes.Reader.WaitToReadAsync(stopWaiting.Token).AsTask());
                await stopWaiting.CancelAsync();
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            log.PushFailed(e.Message);
            waiting.ForEach(w => wishes.Writer.TryWrite(w));
        }
        finally
        {
            await ended.CancelAsync();
            await (refused ?? Task.CompletedTask);
        }

        ct.ThrowIfCancellationRequested();
    }

    // What a gateway that was started again could not load, or would not any more: its deployments have failed.
    private async Task AskRefusedAsync(CancellationToken ct)
    {
        try
        {
            foreach (var refusal in await client!.RefusedAsync(ct))
            {
                refusals[refusal.Folder] = refusal;
                signals.Deployment(Path.GetFileName(Path.GetDirectoryName(refusal.Folder)) ?? "");
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            log.PushFailed(e.Message);
        }
    }

    // The gateway that answers and is of our build, else a new one; null when it did not come up.
    private async Task<GatewayStatus?> EnsureAsync(ServingOptions serving, CancellationToken ct)
    {
        if (await client!.FindAsync(ct) is { } found)
        {
            if (found.Build == GatewayClient.OwnBuild)
            {
                log.GatewayAdopted(found.ProcessId, found.Port);
                return found;
            }

            log.GatewayReplaced(found.ProcessId);
            var gone = client.WaitUntilGoneAsync(ct);
            await client.StopAsync(ct);
            await gone;
        }

        File.Delete(folder.ReadyFile);
        using var process = Start(serving);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        var ready = FileAppearance.WaitAsync(folder.Root, [Path.GetFileName(folder.ReadyFile)], limit.Token);
        await Task.WhenAny(ready, process.WaitForExitAsync(limit.Token));
        await limit.CancelAsync();
        ct.ThrowIfCancellationRequested();
        return await client.FindAsync(ct);
    }

    private Process Start(ServingOptions serving)
    {
        Directory.CreateDirectory(data.Path("gateway"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec setsid \"$@\" </dev/null >>\"$log\" 2>&1", "zaffre-gateway", data.Path("gateway", "gateway.log"),
            .. serving.GatewayCommand, "--data", data.Root, "--port", $"{serving.GatewayPort}", "--certificate", serving.CertificateFile, "--key", serving.KeyFile])
        {
            start.ArgumentList.Add(argument);
        }

        if (serving.GatewayHttpPort is { } plain)
        {
            start.ArgumentList.Add("--http-port");
            start.ArgumentList.Add($"{plain}");
        }

        return Process.Start(start) ?? throw new InvalidOperationException("/bin/sh did not start");
    }
}
