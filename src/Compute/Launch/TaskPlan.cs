using System.Globalization;
using System.Text;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>
/// Writes what <c>launch.sh</c> reads: <c>plan</c> (shell assignments and the function <c>run</c>), <c>enter</c> (the script inside the sandbox that
/// becomes the user's command), <c>arguments</c> (bubblewrap's, separated by NUL, so that no secret shows in a process list), <c>mounts</c>
/// (root only: an fstab that gathers the sources where the task's user can reach them). <paramref name="direct"/>: this server starts the launcher itself.
/// </summary>
internal sealed class TaskPlan(DataDirectory data, HostSandbox host, TaskFolder folder, TaskSpec spec, TaskGroups groups, bool direct)
{
    // Standard error is the log; standard output is a pipe inside a command substitution.
    private const string Self = "/proc/self/fd/2";

    // As root the sources and the log are pinned by mounts before anything is compared or opened.
    private bool Pins => host is { Root: true, Sandboxed: true };

    private bool InImage => spec.Binds.Any(bind => bind.Target == BubblewrapArguments.Image);

    /// <summary>What is to be mounted where before the launcher starts, in order; empty when nothing needs pinning.</summary>
    public IReadOnlyList<(string Path, FileIdentity Identity, string At)> Pinned { get; private set; } = [];

    /// <summary>Without <see cref="Pinned"/> the launcher makes its own mounts, which wants a namespace for them.</summary>
    public bool NeedsMounts => Pins;

    /// <summary>Writes the files; the problem names a bind whose source is not there or is reached through a link.</summary>
    public Problem? Write()
    {
        if (!Find().TryGet(out var found, out var missing))
        {
            return missing;
        }

        var (sources, log) = found;
        if (Pins)
        {
            WriteMounts([.. sources, log]);
        }

        if (host.Sandboxed)
        {
            var reachable = Pins ? sources.Select((_, i) => $"{HostSandbox.StagePath}/{i}").ToList() : sources.ConvertAll(s => s.Path);
            WriteSandbox(BubblewrapArguments.Of(spec, reachable, data));
        }

        File.WriteAllText(folder.At("enter"), Enter(sources, log));
        File.WriteAllText(folder.Containment, Containment());
        string[] command = host.Sandboxed ? ["bwrap", "--args", "8", "/bin/sh", BubblewrapArguments.EnterPath] : ["/bin/sh", folder.At("enter")];
        File.WriteAllText(folder.Plan, Plan([.. sources, log], Pins ? $"mnt/{sources.Count}" : log.Path, command, host.Sandboxed ? " 8<arguments 7<enter 6<group 5<passwd" : ""));
        return null;
    }

    /// <summary>
    /// Writes the files of a sandbox that has no task yet: descriptor 7 of its launcher brings the commands, 9 tells what bubblewrap made.
    /// <paramref name="share"/> gives the path of a file of that content, which all of a shape read.
    /// </summary>
    public void WriteWarm(bool ownTemporaryFolder, Func<string, string> share)
    {
        string Shared(string content) => Quote.Shell(share(content));
        var open = $" <&7 7<&- 8<{Shared(Separated(BubblewrapArguments.OfWarm(spec, data, ownTemporaryFolder)))} 6<{Shared(Groups())} 5<{Shared(Users())} 9>&4";
        File.WriteAllText(folder.Containment, Containment());
        File.WriteAllText(folder.Plan, Plan([], "launcher.log", ["bwrap", "--args", "8", "--info-fd", "9", "/bin/sh"], open));
    }

    /// <summary>What a warm sandbox is to show, in the order of mounting; the problem is that of <see cref="Write"/>.</summary>
    public Outcome<WarmBind[]> WarmBinds() => Find().Then<WarmBind[]>(found => (WarmBind[])
    [
        .. spec.Binds.Zip(found.Sources).OrderBy(pair => pair.First.Target.Count(c => c == '/'))
            .Select(pair => new WarmBind(pair.Second.Path, pair.Second.File, pair.First.Target, pair.First.Writable)),
        new WarmBind(found.Log.Path, found.Log.File, BubblewrapArguments.LogPath, Writable: true),
    ]);

    /// <summary>What the waiting shell of a warm sandbox is told: one compound command, which runs when all of it has come.</summary>
    public string WarmScript()
    {
        var script = new StringBuilder($"{{\ntrap '' PIPE\nexec </dev/null >>{BubblewrapArguments.LogPath} 2>&1 || exit 125\n");
        AppendLimits(script);
        AppendVariables(script);
        AppendCommand(script);
        return script.Append("}\n").ToString();
    }

    private Outcome<(List<Source> Sources, Source Log)> Find()
    {
        var sources = new List<Source>();
        foreach (var bind in host.Sandboxed ? spec.Binds : [])
        {
            if (Find(bind.Source) is not { } source)
            {
                return new Problem(ProblemKind.Invalid, "BindNotFound", $"'{bind.Target}' cannot be given to the task: what it stands for is missing or lies behind a link.") { Target = bind.Target };
            }

            sources.Add(source);
        }

        return Find(spec.LogPath) is { } log
            ? (sources, log)
            : new Problem(ProblemKind.Invalid, "LogNotWritable", "The log of the task is missing or lies behind a link.");
    }

    private void WriteSandbox(IReadOnlyList<string> arguments)
    {
        File.WriteAllText(folder.At("passwd"), Users());
        File.WriteAllText(folder.At("group"), Groups());
        File.WriteAllText(folder.At("arguments"), Separated(arguments));
    }

    private string Users() => $"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nzaffre:x:{host.User}:{host.Group}::{Home()}:/bin/bash\n";

    private string Groups() => $"root:x:0:\nnogroup:x:65534:\nzaffre:x:{host.Group}:\n";

    private static string Separated(IReadOnlyList<string> arguments) => string.Concat(arguments.Select(a => a + '\0'));

    private bool Resets => host.ResetsSignals && !direct;

    private string Home() => spec.Environment.GetValueOrDefault("HOME") is { } home && !home.Contains(':', StringComparison.Ordinal) ? home : "/tmp";

    private Source? Find(string path) => StrictPath.Of(data, path) is { } real && Native.Identify(real) is { } identity
        ? new Source(real, identity)
        : null;

    private void WriteMounts(IReadOnlyList<Source> sources)
    {
        var lines = new StringBuilder();
        var pinned = new List<(string, FileIdentity, string)>();
        var stage = folder.At("mnt");
        Directory.CreateDirectory(stage, Everybody);
        File.SetUnixFileMode(stage, Everybody);
        for (var i = 0; i < sources.Count; i++)
        {
            var point = Path.Combine(stage, i.ToString(CultureInfo.InvariantCulture));
            if (sources[i].IsFolder)
            {
                Directory.CreateDirectory(point);
            }
            else
            {
                File.WriteAllBytes(point, []);
            }

            pinned.Add((sources[i].Path, sources[i].File, point));
            lines.Append(CultureInfo.InvariantCulture, $"{Quote.Fstab(sources[i].Path)} {Quote.Fstab(point)} none bind 0 0\n");
        }

        lines.Append(CultureInfo.InvariantCulture, $"{Quote.Fstab(stage)} {HostSandbox.StagePath} none rbind 0 0\n");
        File.WriteAllText(folder.At("mounts"), lines.ToString());
        Pinned = pinned;
    }

    private string Plan(IReadOnlyList<Source> pinned, string log, string[] command, string open)
    {
        string[] drop = host.Root ? [.. HostSandbox.Drop(host.User, host.Group)] : [];
        var mounts = Pins && pinned.Count > 0;

        // An image need not have a program that takes back what a .NET parent does to SIGPIPE; see Become.
        string[] signals = InImage && Resets ? ["/usr/bin/env", "--default-signal=PIPE"] : [];
        return $"""
            mounts={(mounts ? "mounts" : "")}
            pinned='{(mounts ? string.Join(' ', pinned.Select((_, i) => $"mnt/{i}")) : "")}'
            identities={Quote.Shell(string.Join('\n', pinned.Select(p => p.Identity)))}
            log={Quote.Shell(log)}
            join={Quote.Shell(string.Join(' ', groups.Join))}
            processes={Quote.Shell(groups.Processes ?? "")}
            usage={Quote.Shell(string.Join(' ', groups.Usage))}
            run() {"{"} exec {string.Join(' ', signals.Concat(drop).Concat(command).Select(Quote.Shell))}{open}; {"}"}

            """;
    }

    private string Enter(IReadOnlyList<Source> sources, Source log)
    {
        var script = new StringBuilder("trap '' PIPE\n");
        if (!Pins)
        {
            var targets = spec.Binds.Take(sources.Count).Select(b => Quote.Shell(b.Target)).Append(Self);
            var identities = Quote.Shell(string.Join('\n', sources.Append(log).Select(s => s.Identity)));
            script.Append(CultureInfo.InvariantCulture, $"[ \"$(PATH=/usr/bin:/bin stat -L -c %d:%i -- {string.Join(' ', targets)})\" = {identities} ] || {{ echo 'failed one of its folders was replaced while the task was starting' >&4; exit 125; }}\n");
        }

        AppendLimits(script);
        if (!host.Sandboxed)
        {
            AppendVariables(script);
        }

        AppendCommand(script);
        return script.ToString();
    }

    private void AppendVariables(StringBuilder script)
    {
        foreach (var (name, value) in spec.Environment.Where(v => IsShellName(v.Key)))
        {
            script.Append(CultureInfo.InvariantCulture, $"export {name}={Quote.Shell(value)}\n");
        }

        // Without a sandbox nothing hides the other GPUs; the frameworks look here.
        if (!host.Sandboxed && spec.Gpus.Count > 0)
        {
            script.Append(CultureInfo.InvariantCulture, $"export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=\"${{CUDA_VISIBLE_DEVICES:-{string.Join(',', spec.Gpus)}}}\"\n");
        }
    }

    private void AppendCommand(StringBuilder script) => script.Append(CultureInfo.InvariantCulture, $$"""
        cd -- {{Quote.Shell(spec.WorkingDirectory)}} || exit 125
        echo 1 >&3 || exit 125
        echo started >&4 2>/dev/null
        trap - PIPE
        exec 3>&- 4>&-
        exec {{string.Join(' ', Become().Concat(spec.Command).Select(Quote.Shell))}}

        """);

    // A shell drops variables with names that it cannot have; `env` puts them back. It also takes back that a .NET parent ignores SIGPIPE, which
    // every child inherits and no shell may undo; this server starts launchers directly, with the signal as it should be.
    private IEnumerable<string> Become()
    {
        var odd = spec.Environment.Where(v => !IsShellName(v.Key)).Select(v => $"{v.Key}={v.Value}").ToList();
        string[] signals = Resets && !InImage ? ["--default-signal=PIPE"] : [];
        return odd.Count + signals.Length == 0 ? [] : ["/usr/bin/env", .. signals, .. odd];
    }

    private static bool IsShellName(string name) => !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private void AppendLimits(StringBuilder script)
    {
        void Limit(string option, long? value)
        {
            if (value is not null)
            {
                script.Append(CultureInfo.InvariantCulture, $"ulimit -{option} {value} 2>/dev/null\n");
            }
        }

        Limit("c", 0);
        Limit("n", spec.Limits.OpenFiles);
        Limit("f", spec.Limits.FileBytes / 512);
        Limit("p", groups.LimitsProcesses ? null : spec.Limits.Processes);
        Limit("d", groups.LimitsMemory ? null : spec.Limits.MemoryBytes / 1024);
    }

    private string Containment()
    {
        var lines = groups.Folders.Select(f => $"group {f}").ToList();
        lines.Add($"boot {HostBoot.Id}");
        if (groups.Processes is not null)
        {
            lines.Add($"processes {groups.Processes}");
        }

        if (groups.LimitsMemory)
        {
            lines.Add(FormattableString.Invariant($"memory {spec.Limits.MemoryBytes}"));
        }

        if (groups.LimitsProcesses)
        {
            lines.Add(FormattableString.Invariant($"pids {spec.Limits.Processes}"));
        }

        lines.AddRange(spec.Gpus.Select(gpu => FormattableString.Invariant($"gpu {gpu}")));
        return string.Concat(lines.Select(l => l + "\n"));
    }

    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private sealed record Source(string Path, FileIdentity File)
    {
        public string Identity => FormattableString.Invariant($"{File.Device}:{File.Inode}");

        public bool IsFolder => File.IsFolder;
    }
}
