using System.Diagnostics;

namespace Zaffre.Compute.Launch;

/// <summary>What this host offers for containing tasks; found out once.</summary>
internal sealed record HostSandbox
{
    /// <summary>Where root's private mounts appear to the task's user: traversable for everybody, always empty outside of a task.</summary>
    public const string StagePath = "/run/zaffre-stage";

    private const string MetadataAddress = "169.254.169.254";

    private static readonly string[] ProgramFolders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];

    /// <summary>The server is root, so tasks run as <see cref="User"/>.</summary>
    public required bool Root { get; init; }

    /// <summary>Bubblewrap works for the task's user.</summary>
    public required bool Sandboxed { get; init; }

    /// <summary>The user that tasks run as.</summary>
    public required uint User { get; init; }

    public required uint Group { get; init; }

    /// <summary><c>env</c> can give a command the default action of a signal.</summary>
    public required bool ResetsSignals { get; init; }

    /// <summary>Bubblewrap can give file systems in memory a size (version 0.7 or newer).</summary>
    public required bool BoundsSharedMemory { get; init; }

    /// <summary>What cannot be isolated here, one sentence each.</summary>
    public required IReadOnlyList<string> NotIsolated { get; init; }

    public static string? Program(string name) => ProgramFolders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);

    public static async Task<HostSandbox> ProbeAsync(ComputeOptions options, CancellationToken ct)
    {
        var root = Native.EffectiveUser() == 0;
        var user = root ? options.TaskUser : Native.EffectiveUser();
        var group = root ? options.TaskUser : Native.EffectiveGroup();
        string[] drop = root ? [.. Drop(user, group)] : [];
        var works = Program("bwrap") is { } bwrap
            && (!root || (Program("setpriv") is not null && TryMakeStage()))
            && await SucceedsAsync([.. root ? ["unshare", "--mount"] : Array.Empty<string>(), .. drop, bwrap, "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"], ct).ConfigureAwait(false);
        var notIsolated = new List<string>();
        if (!works)
        {
            notIsolated.Add("The sandbox (bubblewrap) is missing or does not work on this host: the task shares its files and processes with the server's user.");
        }

        if (!root)
        {
            notIsolated.Add($"The cloud metadata address {MetadataAddress} is not blocked: that needs a server started as root.");
        }
        else if (!await BlockMetadataAsync(user, ct).ConfigureAwait(false))
        {
            notIsolated.Add($"The cloud metadata address {MetadataAddress} is not blocked: the program 'ip' is missing or may not add a routing rule.");
        }

        return new HostSandbox
        {
            Root = root,
            Sandboxed = works,
            User = user,
            Group = group,
            ResetsSignals = await SucceedsAsync(["/usr/bin/env", "--default-signal=PIPE", "true"], ct).ConfigureAwait(false),
            BoundsSharedMemory = works && await SucceedsAsync(["bwrap", "--size", "4096", "--tmpfs", "/tmp", "--version"], ct).ConfigureAwait(false),
            NotIsolated = notIsolated,
        };
    }

    /// <summary>The command prefix that becomes the task's user for good.</summary>
    public static IReadOnlyList<string> Drop(uint user, uint group) =>
        ["setpriv", $"--reuid={user}", $"--regid={group}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"];

    /// <summary>A routing rule for the task user only: prohibits the one address that gives cloud credentials away.</summary>
    private static async Task<bool> BlockMetadataAsync(uint user, CancellationToken ct)
    {
        if (Program("ip") is not { } ip)
        {
            return false;
        }

        string[] rule = ["uidrange", $"{user}-{user}", "to", MetadataAddress + "/32", "prohibit"];
        return await SucceedsAsync([ip, "route", "get", MetadataAddress, "uid", $"{user}"], ct).ConfigureAwait(false)
            ? await SucceedsAsync([ip, "rule", "add", .. rule], ct).ConfigureAwait(false)
            : await SucceedsAsync([ip, "rule", "show"], ct).ConfigureAwait(false);
    }

    private static bool TryMakeStage()
    {
        try
        {
            const UnixFileMode everybodyEnters = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            Directory.CreateDirectory(StagePath);
            File.SetUnixFileMode(StagePath, everybodyEnters);
            return Native.Identify(StagePath) is { User: 0, IsFolder: true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task<bool> SucceedsAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        var start = new ProcessStartInfo(Program(command[0]) ?? command[0], command.Skip(1)) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct)).ConfigureAwait(false);
            await process.WaitForExitAsync(ct).ConfigureAwait(false);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
