using System.Net.Sockets;
using System.Text;

namespace Zaffre.Gateway.Workers;

/// <summary>Keeps the connections to one instance open: one for each request that it runs side by side, made anew when one ends.</summary>
internal sealed class WorkerLink : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly DeploymentPool pool;

    public WorkerLink(DeploymentPool pool, WorkerRoute worker, int slots)
    {
        this.pool = pool;
        Folder = worker.Folder;
        Slots = slots;
        for (var i = 0; i < slots; i++)
        {
            _ = Task.Run(KeepOpenAsync);
        }
    }

    public string Folder { get; }

    public int Slots { get; }

    /// <summary>Tells the supervisor that a run of <paramref name="process"/> went over its time.</summary>
    public void Recycle(int process)
    {
        try
        {
            var path = Path.Combine(Folder, "c.sock");
            if (new FileInfo(path).LinkTarget is null)
            {
                using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
                socket.SendTo(Encoding.ASCII.GetBytes($"recycle {process}"), new UnixDomainSocketEndPoint(path));
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // The supervisor is gone, and with it the stuck process.
        }
    }

    public void Dispose() => stop.Cancel();

    private async Task KeepOpenAsync()
    {
        var pause = 20;
        while (!stop.IsCancellationRequested)
        {
            if (await WorkerConnection.OpenAsync(Folder, stop.Token) is { } connection)
            {
                pause = 20;
                using var leave = stop.Token.UnsafeRegister(static c => ((WorkerConnection)c!).CloseWhenIdle(), connection);
                pool.Opened(connection);
                await connection.RunAsync();
                pool.Closed();
            }
            else if (!stop.IsCancellationRequested)
            {
                await Task.Delay(pause, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = Math.Min(pause * 2, 1000);
            }
        }
    }
}
