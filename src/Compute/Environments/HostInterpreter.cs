using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Zaffre.Compute.Environments;

/// <summary>The host's Python and what is installed for it; asked again when its package folders change.</summary>
internal sealed partial class HostInterpreter
{
    public const string Path = "/usr/bin/python3";

    private static readonly string[] PackageFolders = ["/usr/lib/python3/dist-packages", "/usr/local/lib", "/usr/bin/python3"];

    private readonly Lock gate = new();
    private (string Stamp, Task<HostPackages> Packages)? known;
    private (DateTime Stamp, Task<string> Version)? version;

    public static bool Exists => File.Exists(Path);

    /// <summary>The version as folders of packages name it (<c>3.11</c>), by the interpreter's own name; null when that does not say it.</summary>
    public static string? ShortVersion => File.ResolveLinkTarget(Path, returnFinalTarget: true)?.Name is { } name && VersionedName().Match(name) is { Success: true } match ? match.Groups["version"].Value : null;

    /// <summary>The interpreter's whole version.</summary>
    public Task<string> VersionAsync()
    {
        var stamp = (File.ResolveLinkTarget(Path, returnFinalTarget: true) ?? new FileInfo(Path)).LastWriteTimeUtc;
        lock (gate)
        {
            if (version is not { } present || present.Stamp != stamp || present.Version.IsFaulted)
            {
                version = (stamp, AnswerAsync("-I", "-S", "-c", "import sys; print(sys.version.split()[0])"));
            }

            return version.Value.Version;
        }
    }

    /// <summary>What is installed.</summary>
    public Task<HostPackages> PackagesAsync()
    {
        var stamp = string.Join(' ', PackageFolders.Select(folder => Directory.GetLastWriteTimeUtc(folder).Ticks));
        lock (gate)
        {
            if (known is not { } present || present.Stamp != stamp || present.Packages.IsFaulted)
            {
                known = (stamp, AskAsync());
            }

            return known.Value.Packages;
        }
    }

    private static async Task<HostPackages> AskAsync() => HostPackages.Read((JsonObject)JsonNode.Parse(await AnswerAsync("-I", System.IO.Path.Combine(PythonRuntime.Path, "environments", "host.py")))!);

    // Isolated (-I) so that nothing of the server's own environment or user answers in its place.
    private static async Task<string> AnswerAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path, arguments) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment.Clear();
        using var process = Process.Start(start)!;
        var answer = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return answer.Trim();
    }

    [GeneratedRegex(@"^python(?<version>3\.[0-9]+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex VersionedName();
}
