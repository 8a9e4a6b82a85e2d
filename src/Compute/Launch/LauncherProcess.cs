using System.Diagnostics;

namespace Zaffre.Compute.Launch;

/// <summary>One run of the launcher as this server's child: what it tells, and its end.</summary>
internal sealed class LauncherProcess(PreparedTask prepared, TaskFolder folder)
{
    private readonly TaskCompletionSource<string?> running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null when the command runs, else why it does not.</summary>
    public Task<string?> Running => running.Task;

    /// <summary>Completes when the exit record is written, or the launcher is gone.</summary>
    public Task Ended => ended.Task;

    /// <summary>Starts the launcher; with <paramref name="pinned"/> its mounts are there already.</summary>
    public void Start(bool pinned)
    {
        IReadOnlyList<string> command = pinned ? [.. prepared.Command.Where((_, i) => i is not (1 or 2))] : prepared.Command;
        var start = new ProcessStartInfo(HostSandbox.Program(command[0])!, command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = folder.Path,
        };
        start.Environment.Clear();
        start.Environment["ZAFFRE_PINNED"] = pinned ? "yes" : "";
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        var process = Process.Start(start)!;
        _ = ListenAsync(process);
    }

    private async Task ListenAsync(Process process)
    {
        using (process)
        {
            try
            {
                string? refused = null;
                while (await process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line && line != "exited")
                {
                    refused ??= line.StartsWith("refused", StringComparison.Ordinal) ? line : null;
                    running.TrySetResult(line == "started" ? null : line.Replace("failed ", "", StringComparison.Ordinal));
                }

                // Another launcher's record is not ours to wait for, and a record may need its lock gone.
                if (refused is null && !File.Exists(folder.Exit))
                {
                    await process.WaitForExitAsync().ConfigureAwait(false);
                }
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                running.TrySetResult(e.Message);
            }
            finally
            {
                running.TrySetResult("the launcher died");
                ended.TrySetResult();
            }

            await process.WaitForExitAsync().ConfigureAwait(false);
        }
    }
}
