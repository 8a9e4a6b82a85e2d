namespace Zaffre.Compute.Launch;

/// <summary>The GPUs of this host, by their device files.</summary>
internal static class HostGpus
{
    private const string Driver = "/proc/driver/nvidia/gpus";

    public static int Count() => Directory.Exists(Driver) ? Directory.GetDirectories(Driver).Length : 0;
}
