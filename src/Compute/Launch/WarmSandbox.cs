using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>What a sandbox is made for before its task is known: a task of another shape does not get it.</summary>
internal sealed record WarmShape(TaskNetwork Network, TaskLimits Limits, string Home, bool OwnTemporaryFolder)
{
    public static WarmShape Of(TaskSpec spec) =>
        new(spec.Network, spec.Limits, spec.Environment.GetValueOrDefault("HOME", "/tmp"), spec.Binds.All(bind => bind.Target != "/tmp"));
}

/// <summary>What a task sees at <paramref name="Target"/>.</summary>
internal sealed record WarmBind(string Path, FileIdentity Identity, string Target, bool Writable)
{
    /// <summary>The path of every folder that leads to the target, and the target's.</summary>
    public string[] Way { get; } = [.. Enumerable.Range(1, Target.Length - 1).Where(i => i == Target.Length - 1 || Target[i + 1] == '/').Select(i => Target[..(i + 1)])];
}

/// <summary>
/// A launcher with its sandbox around a shell that waits: user dropped, namespaces, system folders, limits and lock are there; mounts and command of a
/// task are not. It serves one task. It ends when this server does, unless it has its task by then.
/// </summary>
internal sealed class WarmSandbox
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly byte[] Ready = "echo ready >&4\n"u8.ToArray();

    private readonly FileStream commands;
    private readonly string hostMounts;

    private WarmSandbox(TaskFolder folder, TaskGroups groups, FileStream commands)
    {
        (Folder, Groups, this.commands) = (folder, groups, commands);
        Launch = new LauncherProcess(folder);
        hostMounts = MountsOfHost();
    }

    public TaskFolder Folder { get; }

    public TaskGroups Groups { get; }

    public LauncherProcess Launch { get; }

    public required WarmShape Shape { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>False once it died, or this host has other <paramref name="mounts"/> than it knows.</summary>
    public bool IsFit(string mounts) => Launch is { Ended.IsCompleted: false, Ready.IsCompletedSuccessfully: true } && hostMounts == mounts;

    /// <summary>Starts a launcher in a folder whose plan is written.</summary>
    public static WarmSandbox Start(TaskFolder folder, TaskGroups groups, WarmShape shape, string script, DateTimeOffset now)
    {
        var (read, write) = Native.Pipe();
        using (read)
        {
            var sandbox = new WarmSandbox(folder, groups, new FileStream(write, FileAccess.Write, bufferSize: 0)) { Shape = shape, MadeAt = now };
            sandbox.Launch.Start(script, LauncherMounts.Made, read);
            sandbox.commands.Write(Ready);
            return sandbox;
        }
    }

    /// <summary>
    /// Makes this the sandbox of an attempt: its files appear in it, its folder takes the place of the attempt's with what is there, and last it gets the
    /// command. False when it cannot; then nothing of the attempt has changed, and the sandbox is of no use any more.
    /// </summary>
    public async Task<bool> GiveAsync(IReadOnlyList<WarmBind> binds, HostSandbox host, TaskFolder attempt, string script)
    {
        if (!await AttachAsync(await Launch.Ready.ConfigureAwait(false), binds, host).ConfigureAwait(false) || !TakePlaceOf(attempt))
        {
            return false;
        }

        Launch.Folder = attempt;
        try
        {
            await using (commands.ConfigureAwait(false))
            {
                await commands.WriteAsync(Encoding.UTF8.GetBytes(script)).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // It died just now, which its launcher tells as for any other.
        }

        return true;
    }

    /// <summary>Ends it, when it has no task, and removes what it left.</summary>
    public async Task DropAsync(FileTree files)
    {
        await commands.DisposeAsync().ConfigureAwait(false);
        Launch.LetGo();
        try
        {
            await Launch.Ended.WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            TaskProcesses.Kill(Folder);
        }

        await ControlGroups.RemoveAsync(Groups.Folders).ConfigureAwait(false);
        files.Delete(Folder.Path);
    }

    /// <summary>What is mounted on this host, as text that changes when it does.</summary>
    public static string MountsOfHost() => File.ReadAllText("/proc/self/mountinfo");

    private static Task<bool> AttachAsync(int sandbox, IReadOnlyList<WarmBind> binds, HostSandbox host)
    {
        var attached = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);

        // The thread does not come back from the sandbox's view of files.
        var thread = new Thread(() =>
        {
            try
            {
                attached.SetResult(Attach(sandbox, [.. binds], host));
            }
            catch (System.ComponentModel.Win32Exception)
            {
                attached.SetResult(false);
            }
        }, maxStackSize: 512 * 1024) { IsBackground = true, Name = "warm start" };
        thread.Start();
        return attached.Task;
    }

    private static bool Attach(int sandbox, WarmBind[] binds, HostSandbox host)
    {
        var trees = new SafeFileHandle?[binds.Length];
        using var view = Native.OpenView(sandbox);
        try
        {
            for (var i = 0; i < binds.Length; i++)
            {
                trees[i] = Native.Detached(binds[i].Path, binds[i].Identity, binds[i].Writable);
                if (trees[i] is null)
                {
                    return false;
                }
            }

            if (view is null || !Native.EnterView(view, host.User, host.Group))
            {
                return false;
            }

            for (var i = 0; i < binds.Length; i++)
            {
                if (!Native.Attach(trees[i]!, binds[i].Way, binds[i].Identity.IsFolder))
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            for (var i = 0; i < trees.Length; i++)
            {
                trees[i]?.Dispose();
            }
        }
    }

    /// <summary>Takes in what lies in the attempt's folder and then its place, in one step: either the attempt has started or it has not.</summary>
    private bool TakePlaceOf(TaskFolder attempt)
    {
        var staged = Directory.GetFileSystemEntries(attempt.Path).Select(Path.GetFileName).ToList();
        var moved = staged.TakeWhile(name => !Path.Exists(Folder.At(name!)) && Native.Move(attempt.At(name!), Folder.At(name!))).ToList();
        if (moved.Count == staged.Count && Native.Move(Folder.Path, attempt.Path))
        {
            return true;
        }

        foreach (var name in moved)
        {
            Native.Move(Folder.At(name!), attempt.At(name!));
        }

        return false;
    }
}
