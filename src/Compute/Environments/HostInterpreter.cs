using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Zaffre.Compute.Environments;

/// <summary>The host's Python and what is installed for it; asked again when its package folders change.</summary>
internal sealed partial class HostInterpreter
{
    public const string Path = "/usr/bin/python3";

    private const string Question = """
        import json, importlib.metadata as m, platform
        print(json.dumps({"python": platform.python_version(), **{d.metadata["Name"]: d.version for d in m.distributions() if d.metadata["Name"]}}))
        """;

    private static readonly string[] PackageFolders = ["/usr/lib/python3/dist-packages", "/usr/local/lib", "/usr/bin/python3"];

    private readonly Lock gate = new();
    private (string Stamp, Task<IReadOnlyDictionary<string, string>> Packages)? known;

    public static bool Exists => File.Exists(Path);

    /// <summary>The version as folders of packages name it (<c>3.11</c>), by the interpreter's own name; null when that does not say it.</summary>
    public static string? ShortVersion => File.ResolveLinkTarget(Path, returnFinalTarget: true)?.Name is { } name && VersionedName().Match(name) is { Success: true } match ? match.Groups["version"].Value : null;

    /// <summary>Versions by normalized name; the interpreter's own under <c>python</c>.</summary>
    public Task<IReadOnlyDictionary<string, string>> PackagesAsync()
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

    // Isolated (-I) so that nothing of the server's own environment or user answers in its place.
    private static async Task<IReadOnlyDictionary<string, string>> AskAsync()
    {
        var start = new ProcessStartInfo(Path, ["-I", "-c", Question]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment.Clear();
        using var process = Process.Start(start)!;
        var answer = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return JsonSerializer.Deserialize<Dictionary<string, string>>(answer)!
            .GroupBy(pair => PackageSpec.Normalize(pair.Key))
            .ToDictionary(group => group.Key, group => group.First().Value, StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^python(?<version>3\.[0-9]+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex VersionedName();
}
