using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>
/// A few sandboxes of the shape that tasks last had, made in the background while tasks come, dropped when none came for a while. Thread safe. A task that finds
/// none starts without.
/// </summary>
internal sealed class WarmPool(DataDirectory data, ControlGroups controlGroups, TimeProvider time, ILogger<WarmPool> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // The task that just took one has the processor first.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private readonly List<WarmSandbox> waiting = [];
    private readonly LaunchScript script = new(data);
    private readonly FileTree files = new(data);
    private readonly int size = Math.Clamp(2 * Environment.ProcessorCount, 2, 8);
    private Task filling = Task.CompletedTask;
    private WarmShape? last;
    private ITimer? idle;
    private bool swept;
    private bool closed;

    /// <summary>How many wait for a task of that shape.</summary>
    public int CountOf(WarmShape shape)
    {
        var mounts = WarmSandbox.MountsOfHost();
        lock (gate)
        {
            return waiting.Count(sandbox => sandbox.Shape == shape && sandbox.IsFit(mounts));
        }
    }

    /// <summary>How many were given to a task.</summary>
    public int Given { get; private set; }

    /// <summary>One of that shape, or null. Whoever takes it gives it its task or drops it.</summary>
    public WarmSandbox? Take(WarmShape shape, HostSandbox host)
    {
        if (host is not { Root: true, Sandboxed: true })
        {
            return null;
        }

        lock (gate)
        {
            var mounts = waiting.Count > 0 ? WarmSandbox.MountsOfHost() : "";
            var found = waiting.Find(sandbox => sandbox.Shape == shape && sandbox.IsFit(mounts) && time.GetUtcNow() - sandbox.MadeAt < Longest);
            if (found is not null)
            {
                waiting.Remove(found);
                Given++;
            }

            // Once is no habit: a task of a rare shape does not turn the others out.
            if (shape == last)
            {
                Want(shape, host);
            }

            last = shape;
            (idle ??= time.CreateTimer(_ => Drop(all: true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)).Change(Longest, Timeout.InfiniteTimeSpan);
            return found;
        }
    }

    /// <summary>Sandboxes of that shape are to be made, in place of others.</summary>
    public void Want(WarmShape shape, HostSandbox host)
    {
        lock (gate)
        {
            last = shape;
            if (filling.IsCompleted && !closed)
            {
                filling = Task.Run(() => FillAsync(shape, host));
            }
        }
    }

    /// <summary>Ends one that could not be given its task.</summary>
    public Task DropAsync(WarmSandbox sandbox) => sandbox.DropAsync(files);

    public async ValueTask DisposeAsync()
    {
        Task under;
        lock (gate)
        {
            closed = true;
            under = filling;
        }

        idle?.Dispose();
        await under.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DropAsync(all: true).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task FillAsync(WarmShape shape, HostSandbox host)
    {
        try
        {
            Sweep();
            await Task.Delay(Pause, time).ConfigureAwait(false);
            await DropAsync(all: false).ConfigureAwait(false);
            while (Wants(shape))
            {
                var made = Make(shape, host);
                if (await made.Launch.Ready.ConfigureAwait(false) == 0)
                {
                    ComputeLog.NotWarm(logger, LogFile.LastLine(files, made.Folder.At("launcher.log")) ?? "no reason given");
                    await made.DropAsync(files).ConfigureAwait(false);
                    return;
                }

                lock (gate)
                {
                    waiting.Add(made);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            ComputeLog.NotWarm(logger, e.Message);
        }
    }

    private bool Wants(WarmShape shape)
    {
        lock (gate)
        {
            return !closed && shape == last && waiting.Count < size;
        }
    }

    private WarmSandbox Make(WarmShape shape, HostSandbox host)
    {
        var id = new TaskId("warm-" + Guid.NewGuid().ToString("N"), 0);
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(data.Path("warm"), ownerOnly);
        var folder = new TaskFolder(data.Path("warm", id.Name));
        Directory.CreateDirectory(folder.Path, ownerOnly);
        var spec = new TaskSpec
        {
            Id = id,
            Command = [],
            WorkingDirectory = "/",
            LogPath = folder.At("launcher.log"),
            Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = shape.Home },
            Limits = shape.Limits,
            Network = shape.Network,
        };
        var groups = controlGroups.Create(data.Root, id, shape.Limits);
        new TaskPlan(data, host, folder, spec, groups, direct: true).WriteWarm(shape.OwnTemporaryFolder, Share);
        return WarmSandbox.Start(folder, groups, shape, script.Path, time.GetUtcNow());
    }

    /// <summary>A file of that content, for every sandbox whose launcher reads the same.</summary>
    private string Share(string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var path = data.Path("warm", Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]);
        if (!File.Exists(path))
        {
            File.WriteAllBytes(path + ".new", bytes);
            File.Move(path + ".new", path, overwrite: true);
        }

        return path;
    }

    private void Drop(bool all) => _ = DropAsync(all);

    /// <summary>Ends those that are of no use any more, or all.</summary>
    private async Task DropAsync(bool all)
    {
        List<WarmSandbox> dropped;
        lock (gate)
        {
            var mounts = waiting.Count > 0 ? WarmSandbox.MountsOfHost() : "";
            dropped = waiting.FindAll(sandbox => all || sandbox.Shape != last || !sandbox.IsFit(mounts) || time.GetUtcNow() - sandbox.MadeAt >= Longest);
            waiting.RemoveAll(dropped.Contains);
        }

        foreach (var sandbox in dropped)
        {
            await sandbox.DropAsync(files).ConfigureAwait(false);
        }
    }

    /// <summary>Removes what an earlier server left.</summary>
    private void Sweep()
    {
        if (swept || !Directory.Exists(data.Path("warm")))
        {
            swept = true;
            return;
        }

        swept = true;
        foreach (var folder in Directory.GetDirectories(data.Path("warm")).Select(path => new TaskFolder(path)).Where(folder => !TaskLock.IsHeld(folder)))
        {
            _ = ControlGroups.RemoveAsync(folder.ContainingAll("group"));
            files.Delete(folder.Path);
        }
    }
}
