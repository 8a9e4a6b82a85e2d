using System.Globalization;
using System.Runtime.InteropServices;

namespace Zaffre.Benchmarks;

/// <summary>What the figures were taken on.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var processor = ValueOf("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        var memory = ValueOf("/proc/meminfo", "MemTotal") ?? "?";
        var load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "?";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            machine: {processor}, {Environment.ProcessorCount} cores, {memory}, load {load} at the start
            versions: {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}
            durability: SQLite WAL with synchronous=FULL, every acknowledged write committed; HTTPS with keep-alive, one client
            name value unit | peer | ratio | budget
            """);
    }

    private static string? ValueOf(string file, string key) => File.Exists(file)
        ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':')[1].Trim()
        : null;
}
