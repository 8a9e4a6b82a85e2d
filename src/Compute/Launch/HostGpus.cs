using System.Text.RegularExpressions;

namespace Zaffre.Compute.Launch;

/// <summary>The GPUs of this host, by their device files.</summary>
internal static partial class HostGpus
{
    private const string Driver = "/proc/driver/nvidia/gpus";

    public static int Count() => Directory.Exists(Driver) ? Directory.GetDirectories(Driver).Length : 0;

    /// <summary>The device files that a task needs for them, of those in <paramref name="folder"/>: each GPU's, and what the driver shares.</summary>
    public static IReadOnlyList<string> Devices(string folder = "/dev") =>
        [.. Directory.EnumerateFileSystemEntries(folder, "nvidia*").Where(path => DeviceName().IsMatch(Path.GetFileName(path))).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"^nvidia([0-9]+|ctl|-uvm|-uvm-tools|-modeset|-caps)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DeviceName();
}
