namespace Zaffre.Compute.Launch;

/// <summary>
/// Which run of the host's system this is. A task's files are not synced before its command begins: after another boot what they do not hold
/// proves nothing.
/// </summary>
internal static class HostBoot
{
    private static readonly string Known = Read();

    public static string Id => Known;

    private static string Read()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Guid.NewGuid().ToString();
        }
    }
}
