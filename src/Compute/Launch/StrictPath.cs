using Zaffre.Kernel;

namespace Zaffre.Compute.Launch;

/// <summary>
/// Paths for system calls that refuse every link: below the data directory only the way to the data directory itself may lead over links;
/// elsewhere paths are the server's own, and their links are resolved once, here.
/// </summary>
internal static class StrictPath
{
    /// <summary>The path without links that were there legitimately, or null when there is no such place.</summary>
    public static string? Of(DataDirectory data, string path) =>
        path.StartsWith(data.Root + "/", StringComparison.Ordinal)
            ? Native.RealPath(data.Root) is { } root ? root + path[data.Root.Length..] : null
            : Native.RealPath(path);
}
