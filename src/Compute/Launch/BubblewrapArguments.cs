using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>The view of a task as bubblewrap options: a read-only system, its own /tmp and process ids, its binds, nothing else.</summary>
internal static class BubblewrapArguments
{
    /// <summary>Where the script that turns into the user's command lies in the task's view.</summary>
    public const string EnterPath = "/run/zaffre/enter";

    private static readonly string[] SystemFolders = ["/usr", "/etc", "/opt"];

    private static readonly string[] Devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

    private static readonly string[] MergedFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    /// <summary>Options; <paramref name="sources"/> holds where each bind's source is reachable for the task's user.</summary>
    public static IReadOnlyList<string> Of(TaskSpec spec, IReadOnlyList<string> sources, DataDirectory data)
    {
        List<string> arguments =
        [
            "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--clearenv",
        ];
        if (spec.Network == TaskNetwork.None)
        {
            arguments.Add("--unshare-net");
        }

        AddSystem(arguments, data);
        var ownTmp = spec.Binds.Any(b => b.Target == "/tmp");
        arguments.AddRange(ownTmp ? [] : ["--perms", "1777", "--tmpfs", "/tmp"]);
        foreach (var (bind, source) in spec.Binds.Zip(sources).OrderBy(p => p.First.Target.Count(c => c == '/')))
        {
            arguments.AddRange([bind.Writable ? "--bind" : "--ro-bind", source, bind.Target]);
        }

        foreach (var (name, value) in spec.Environment)
        {
            arguments.AddRange(["--setenv", name, value]);
        }

        arguments.AddRange(["--ro-bind-data", "7", EnterPath]);
        return arguments;
    }

    private static void AddSystem(List<string> arguments, DataDirectory data)
    {
        foreach (var folder in SystemFolders)
        {
            arguments.AddRange(["--ro-bind-try", folder, folder]);
        }

        foreach (var folder in MergedFolders)
        {
            var target = new DirectoryInfo(folder).LinkTarget;
            arguments.AddRange(target is not null ? ["--symlink", target, folder] : ["--ro-bind-try", folder, folder]);
        }

        // When the data directory lies inside a folder shown above, an empty one hides it.
        if (SystemFolders.Any(f => data.Root.StartsWith(f + "/", StringComparison.Ordinal)))
        {
            arguments.AddRange(["--tmpfs", data.Root]);
        }

        arguments.AddRange(["--ro-bind-data", "5", "/etc/passwd", "--ro-bind-data", "6", "/etc/group"]);
        if (File.ResolveLinkTarget("/etc/resolv.conf", returnFinalTarget: true) is { FullName: var resolver } && !resolver.StartsWith("/etc/", StringComparison.Ordinal))
        {
            arguments.AddRange(["--ro-bind-try", resolver, resolver]);
        }

        arguments.AddRange(["--ro-bind-try", "/sys/devices/system", "/sys/devices/system", "--proc", "/proc", "--dir", "/var", "--symlink", "../tmp", "/var/tmp"]);
        AddDevices(arguments);
    }

    // Not `--dev`: its terminals cost a second user namespace, in which the task's user maps to a root that is not the host's.
    private static void AddDevices(List<string> arguments)
    {
        arguments.AddRange(["--perms", "0755", "--tmpfs", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"]);
        foreach (var device in Devices)
        {
            arguments.AddRange(["--dev-bind-try", device, device]);
        }

        arguments.AddRange(["--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/proc/self/fd/0", "/dev/stdin", "--symlink", "/proc/self/fd/1", "/dev/stdout", "--symlink", "/proc/self/fd/2", "/dev/stderr"]);
    }
}
