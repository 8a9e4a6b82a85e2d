using System.Globalization;
using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>The view of a task as bubblewrap options: a read-only system, its own /tmp and process ids, its binds, nothing else.</summary>
internal static class BubblewrapArguments
{
    /// <summary>Where the script that turns into the user's command lies in the task's view.</summary>
    public const string EnterPath = "/run/zaffre/enter";

    /// <summary>Where a sandbox that was there before its task finds the log.</summary>
    public const string LogPath = "/run/zaffre/log";

    /// <summary>The target of a bind that stands for the whole system: the files of an image in place of the host's.</summary>
    public const string Image = "/";

    private static readonly HashSet<string> OwnFolders = ["dev", "proc", "sys", "tmp", "run", "mnt"];

    private static readonly string[] HostNames = ["/etc/resolv.conf", "/etc/hosts"];

    private static readonly string[] SystemFolders = ["/usr", "/etc", "/opt"];

    private static readonly string[] Devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

    private static readonly string[] MergedFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    /// <summary>Options; <paramref name="sources"/> holds where each bind's source is reachable for the task's user.</summary>
    public static IReadOnlyList<string> Of(TaskSpec spec, IReadOnlyList<string> sources, DataDirectory data)
    {
        var arguments = Begin(spec);
        var image = spec.Binds.TakeWhile(bind => bind.Target != Image).Count();
        if (image < spec.Binds.Count)
        {
            AddImage(arguments, spec.Binds[image].Source, sources[image]);
        }
        else
        {
            AddHost(arguments, data);
        }

        AddSystem(arguments, spec.Binds.All(b => b.Target != "/tmp"), spec);
        foreach (var (bind, source) in spec.Binds.Zip(sources).Where(p => p.First.Target != Image).OrderBy(p => p.First.Target.Count(c => c == '/')))
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

    /// <summary>The options of a sandbox over the host's system that gets its binds, variables and script when it has a task.</summary>
    public static IReadOnlyList<string> OfWarm(TaskSpec spec, DataDirectory data, bool ownTemporaryFolder)
    {
        var arguments = Begin(spec);
        AddHost(arguments, data);
        AddSystem(arguments, ownTemporaryFolder, spec);
        arguments.AddRange(["--dir", "/run/zaffre"]);
        return arguments;
    }

    private static List<string> Begin(TaskSpec spec) =>
    [
        "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--clearenv",
        .. spec.Network == TaskNetwork.None ? ["--unshare-net"] : Array.Empty<string>(),
    ];

    // Each folder of the image by itself: its root is made anew, so that what is mounted finds a place. /mnt, /run and /tmp are the task's.
    private static void AddImage(List<string> arguments, string image, string reachable)
    {
        foreach (var entry in new DirectoryInfo(image).EnumerateFileSystemInfos().Where(e => !OwnFolders.Contains(e.Name)).OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            arguments.AddRange(entry.LinkTarget is { } target ? ["--symlink", target, "/" + entry.Name] : ["--ro-bind", $"{reachable}/{entry.Name}", "/" + entry.Name]);
        }

        foreach (var file in HostNames.Where(File.Exists))
        {
            arguments.AddRange(["--ro-bind", file, file]);
        }
    }

    private static void AddHost(List<string> arguments, DataDirectory data)
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

        if (File.ResolveLinkTarget("/etc/resolv.conf", returnFinalTarget: true) is { FullName: var resolver } && !resolver.StartsWith("/etc/", StringComparison.Ordinal))
        {
            arguments.AddRange(["--ro-bind-try", resolver, resolver]);
        }

        arguments.AddRange(["--dir", "/var", "--symlink", "../tmp", "/var/tmp"]);
    }

    private static void AddSystem(List<string> arguments, bool ownTemporaryFolder, TaskSpec spec)
    {
        arguments.AddRange(["--ro-bind-data", "5", "/etc/passwd", "--ro-bind-data", "6", "/etc/group"]);
        arguments.AddRange(["--ro-bind-try", "/sys/devices/system", "/sys/devices/system", "--proc", "/proc"]);
        AddDevices(arguments, HostGpus.Devices(spec.Gpus), spec.Limits.SharedMemoryBytes);
        arguments.AddRange(ownTemporaryFolder ? ["--perms", "1777", "--tmpfs", "/tmp"] : []);
    }

    // Not `--dev`: its terminals cost a second user namespace, in which the task's user maps to a root that is not the host's.
    internal static void AddDevices(List<string> arguments, IReadOnlyList<string> more, long? sharedMemory = null)
    {
        arguments.AddRange(["--perms", "0755", "--tmpfs", "/dev", "--perms", "1777"]);
        arguments.AddRange(sharedMemory is { } bytes ? ["--size", bytes.ToString(CultureInfo.InvariantCulture), "--tmpfs", "/dev/shm"] : ["--tmpfs", "/dev/shm"]);
        foreach (var device in Devices.Concat(more))
        {
            arguments.AddRange(["--dev-bind-try", device, device]);
        }

        arguments.AddRange(["--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/proc/self/fd/0", "/dev/stdin", "--symlink", "/proc/self/fd/1", "/dev/stdout", "--symlink", "/proc/self/fd/2", "/dev/stderr"]);
    }
}
