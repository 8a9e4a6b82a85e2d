using System.ComponentModel;
using System.Diagnostics;

namespace Zaffre.Benchmarks.Jobs;

/// <summary>Snakemake and GNU make on the same graph and as many processors, in a folder of their own.</summary>
internal static class Peer
{
    /// <summary>Seconds that Snakemake needs; null when it is not installed or fails.</summary>
    public static Task<double?> SnakemakeAsync(Graph graph, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "Snakefile"), graph.Snakefile());
        return TimeAsync(folder, "snakemake", "--cores", $"{Environment.ProcessorCount}", "--quiet", "all");
    }

    /// <summary>Seconds that GNU make needs; null when it is not installed or fails.</summary>
    public static Task<double?> MakeAsync(Graph graph, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "Makefile"), graph.Makefile());
        return TimeAsync(folder, "make", "-j", $"{Environment.ProcessorCount}");
    }

    private static async Task<double?> TimeAsync(string folder, string program, params string[] arguments)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
            var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            if (process.ExitCode == 0)
            {
                return Stopwatch.GetElapsedTime(began).TotalSeconds;
            }

            await Console.Error.WriteLineAsync($"{program} ended with {process.ExitCode}: {string.Concat(await said)}");
            return null;
        }
        catch (Win32Exception)
        {
            await Console.Error.WriteLineAsync($"{program} is not installed.");
            return null;
        }
    }
}
