using System.Globalization;
using Zaffre.Kernel;

namespace Zaffre.App;

/// <summary>Finds the gateway process of a data directory, answering or not.</summary>
internal static class GatewayProcess
{
    public static bool Exists(DataDirectory data)
    {
        var words = $"\0gateway\0--data\0{data.Root}\0";
        return Directory.EnumerateDirectories("/proc")
            .Where(process => int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Any(process => CommandOf(process).Contains(words, StringComparison.Ordinal));
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is none of ours.
            return "";
        }
    }
}
