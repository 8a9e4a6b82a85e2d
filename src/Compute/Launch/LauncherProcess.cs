using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Zaffre.Compute.Launch;

/// <summary>Who makes the mounts from which the sandbox takes a task's files.</summary>
internal enum LauncherMounts
{
    /// <summary>Nobody: there are none.</summary>
    None,

    /// <summary>They are made: the launcher inherits the namespace that has them.</summary>
    Made,

    /// <summary>The launcher, in a namespace of its own.</summary>
    Own,
}

/// <summary>One launcher as this server's child: what it tells over its channel, and its end.</summary>
internal sealed class LauncherProcess(TaskFolder folder)
{
    private const string Shell = "/bin/sh";

    private static readonly byte[] Kept = "kept\n"u8.ToArray();

    private readonly TaskCompletionSource<string?> running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int inside;
    private volatile Action? letGo;

    /// <summary>Null when the command runs, else why it does not.</summary>
    public Task<string?> Running => running.Task;

    /// <summary>The process inside a warm sandbox, once it waits for its command; 0 when there will be none.</summary>
    public Task<int> Ready => ready.Task;

    /// <summary>Completes when the exit record is written, or the launcher is gone.</summary>
    public Task Ended => ended.Task;

    /// <summary>The attempt's folder; that of a warm sandbox changes when it gets its task.</summary>
    public TaskFolder Folder { get; set; } = folder;

    /// <summary>Starts the launcher; what reads <paramref name="commands"/> makes it a warm one.</summary>
    public void Start(string script, LauncherMounts mounts, SafeFileHandle? commands = null)
    {
        var (mine, other) = Native.Channel();
        using (other)
        using (var held = TaskLock.TryTake(Folder))
        {
            List<string> variables =
            [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "ZAFFRE_CHANNEL=yes", $"ZAFFRE_PINNED={(mounts == LauncherMounts.Made ? "yes" : "")}",
                $"ZAFFRE_LOCKED={(held is null ? "" : "yes")}", $"ZAFFRE_WARM={(commands is null ? "" : "yes")}",
            ];
            string[] own = mounts == LauncherMounts.Own ? ["/usr/bin/env", "unshare", "--mount"] : [];
            var process = Native.Spawn(new SpawnRequest([.. own, Shell, script, Folder.Path], Folder.Path, variables) { Input = commands, Output = other, Lock = held });
            _ = ListenAsync(process, mine);
        }
    }

    /// <summary>Lets the launcher see the end of this server, or of its interest.</summary>
    public void LetGo() => letGo?.Invoke();

    private async Task ListenAsync(int process, SafeFileHandle own)
    {
        try
        {
            await using var stream = new NetworkStream(new Socket(new SafeSocketHandle(own.DangerousGetHandle(), ownsHandle: true)), ownsSocket: true);
            own.SetHandleAsInvalid();
            letGo = stream.Dispose;
            using var lines = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 256, leaveOpen: true);
            var refused = false;
            while (await lines.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                refused |= line.StartsWith("refused", StringComparison.Ordinal);
                await HearAsync(line, stream).ConfigureAwait(false);
                if (refused)
                {
                    // Another launcher's record is not ours to wait for.
                    break;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            running.TrySetResult(e.Message);
        }
        finally
        {
            running.TrySetResult("the launcher died");
            ready.TrySetResult(0);
        }

        // Without a record, what ends a task is the end of its launcher: only then is its lock gone.
        await Task.Run(() => Native.Reap(process)).ConfigureAwait(false);
        ended.TrySetResult();
    }

    private async Task HearAsync(string line, NetworkStream stream)
    {
        switch (line.Split(' ', 2))
        {
            case ["started"]:
                running.TrySetResult(null);
                break;
            case ["ready"]:
                ready.TrySetResult(inside);
                break;
            case ["ended"]:
                await KeepAsync(stream).ConfigureAwait(false);
                break;
            case ["exited"]:
                ended.TrySetResult();
                break;
            case ["refused" or "failed", var why]:
                running.TrySetResult(line.StartsWith("refused", StringComparison.Ordinal) ? line : why);
                break;
            default:
                // Bubblewrap's own words: {"child-pid": 17, ...}, over several lines.
                inside = line.Contains("\"child-pid\"", StringComparison.Ordinal)
                    ? int.Parse(string.Concat(line.Where(char.IsAsciiDigit)), CultureInfo.InvariantCulture) : inside;
                break;
        }
    }

    /// <summary>
    /// Puts the record in place, which saves the launcher two programs. The launcher does it when it hears nothing: when this server is gone. Not synced here:
    /// who reads it commits what it says, and a machine that dies before has lost the task with or without it.
    /// </summary>
    private async Task KeepAsync(NetworkStream stream)
    {
        try
        {
            File.Move(Folder.At("exit.tmp"), Folder.Exit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The launcher does it, or nobody: then the record is missing, as whoever reads it will see.
            return;
        }

        ended.TrySetResult();
        await stream.WriteAsync(Kept).ConfigureAwait(false);
    }
}
