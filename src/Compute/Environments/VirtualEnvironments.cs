using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>
/// Builds virtual environments into the <see cref="EnvironmentCache"/>. The key is a digest of what is declared and of the Python below. Building runs other
/// people's code (the set-up scripts of packages), so it is a task in the sandbox like any other. One build for each key at a time, for all that wait for it;
/// one that a restart interrupted is waited for, or begun again.
/// </summary>
internal sealed class VirtualEnvironments(
    EnvironmentCache cache, PipSettings pip, ITaskLauncher launcher, ITaskAdmission admission, ComputeOptions options, TimeProvider time)
{
    private const int MostAnswer = 4 << 20;
    private const int MostLog = 256 * 1024;

    private const string Script = """
        set -eu
        umask 022
        echo "Building a virtual environment for:"; cat requirements.txt
        "$BASE" -m venv --clear venv
        exec venv/bin/python -I build.py "$@"
        """;

    private static readonly string[] Each = ["each"];

    private readonly ConcurrentDictionary<string, Lazy<Task<Outcome<BuiltEnvironment>>>> building = new(StringComparer.Ordinal);

    /// <summary>The key of a declaration on this foundation.</summary>
    public static string KeyOf(DeclaredPackages declared, EnvironmentFoundation foundation) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"1\n{foundation.Identity}{foundation.Version}\n{Requirements(declared)}")))[..24];

    /// <summary>Whether a build of the key runs in this server.</summary>
    public bool IsBuilding(string key) => building.ContainsKey(key);

    /// <summary>Completes when the build of the key that runs now is over.</summary>
    public Task BuildingAsync(string key) => building.TryGetValue(key, out var build) ? build.Value : Task.CompletedTask;

    /// <summary>The environment when it was built before, else null.</summary>
    public BuiltEnvironment? Find(string key, EnvironmentFoundation foundation) => cache.Find(key, VenvOf(key, foundation));

    /// <summary>Builds it, or joins the build that runs. Canceling ends the waiting, not the build. The problem says what pip could not find, and why.</summary>
    public async Task<Outcome<BuiltEnvironment>> BuildAsync(string key, DeclaredPackages declared, EnvironmentFoundation foundation, CancellationToken ct)
    {
        if (cache.Failure(key) is { } last && !IsBuilding(key) && time.GetUtcNow() - last.At < options.EnvironmentRetryAfter)
        {
            return NotBuilt(last.Why);
        }

        var build = building.GetOrAdd(key, _ => new(() => RunAsync(key, declared, foundation)));
        return await build.Value.WaitAsync(ct);
    }

    private static string Requirements(DeclaredPackages declared) =>
        string.Concat(declared.PipOptions.Concat(declared.Packages.Where(p => (declared.Exact || !EnvironmentResolver.IsTool(p.Name)) && p.Name != "python").Select(p => p.Requirement)).Select(line => line + "\n"));

    private string VenvOf(string key, EnvironmentFoundation foundation) => foundation.ViewOf(key, cache.WorkOf(key)) + "/venv";

    private async Task<Outcome<BuiltEnvironment>> RunAsync(string key, DeclaredPackages declared, EnvironmentFoundation foundation)
    {
        try
        {
            var outcome = Find(key, foundation) is { } there ? there : await BuildNowAsync(key, declared, foundation);
            if (!outcome.TryGet(out _, out var why))
            {
                cache.RecordFailure(key, why.Message);
            }

            return outcome;
        }
        finally
        {
            building.TryRemove(key, out _);
        }
    }

    private async Task<Outcome<BuiltEnvironment>> BuildNowAsync(string key, DeclaredPackages declared, EnvironmentFoundation foundation)
    {
        if (!(await admission.AdmitAsync(CancellationToken.None)).TryGet(out var host, out var refused))
        {
            return refused;
        }

        var task = new TaskId("environment-" + key, 0);
        var clock = Stopwatch.StartNew();
        if (await launcher.InspectAsync(task, CancellationToken.None) != TaskStage.Running)
        {
            await launcher.RemoveAsync(task, CancellationToken.None);
            if (!(await launcher.StartAsync(Prepare(key, declared, foundation, host), CancellationToken.None)).TryGet(out _, out var problem))
            {
                return problem;
            }
        }

        var ended = launcher.WaitAsync(task, CancellationToken.None);
        if (await Task.WhenAny(ended, Task.Delay(options.EnvironmentBuildTime, time)) != ended)
        {
            await launcher.StopAsync(task, StopReason.Timeout, TimeSpan.FromSeconds(5), CancellationToken.None);
        }

        var exit = await ended;
        await launcher.RemoveAsync(task, CancellationToken.None);
        return exit.Succeeded && TaskFile.TryRead(cache.WorkOf(key), "packages.json", MostAnswer) is { } list
            ? Record(key, list, clock.Elapsed.TotalSeconds, foundation)
            : Explain(key, exit);
    }

    private TaskSpec Prepare(string key, DeclaredPackages declared, EnvironmentFoundation foundation, HostSandbox host)
    {
        cache.Begin(key);
        var work = cache.WorkOf(key);
        var view = foundation.ViewOf(key, work);
        File.WriteAllText(Path.Combine(work, "requirements.txt"), Requirements(declared));
        File.Copy(Path.Combine(PythonRuntime.Path, "environments", "build.py"), Path.Combine(work, "build.py"));
        cache.Hand(host, work);
        return new TaskSpec
        {
            Id = new TaskId("environment-" + key, 0),
            Command =
            [
                "/bin/sh", "-c", Script, "build",
                options.EnvironmentTries.ToString(CultureInfo.InvariantCulture), options.EnvironmentRetryPause.TotalSeconds.ToString(CultureInfo.InvariantCulture),
                .. declared.Exact ? Each : [],
            ],
            WorkingDirectory = view,
            LogPath = cache.LogOf(key),
            Environment = Variables(view, foundation),
            Binds = [.. foundation.Binds, new TaskBind(work, view, Writable: true), .. pip.Binds],
        };
    }

    private Dictionary<string, string> Variables(string home, EnvironmentFoundation foundation)
    {
        var variables = pip.Variables();
        variables["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        variables["HOME"] = home;
        variables["LANG"] = "C.UTF-8";
        variables["BASE"] = foundation.Executable;
        return variables;
    }

    private Outcome<BuiltEnvironment> Record(string key, string list, double seconds, EnvironmentFoundation foundation)
    {
        if (Installed(list) is not { } installed)
        {
            return NotBuilt("pip did not say what it installed");
        }

        cache.Record(key, installed.Packages, installed.Tools, seconds);
        return Find(key, foundation)!;
    }

    // What a package's set-up script replaced may have written it: anything is possible.
    private static (JsonObject Packages, JsonArray Tools)? Installed(string list)
    {
        try
        {
            var packages = new JsonObject();
            var tools = new JsonArray();
            foreach (var package in JsonNode.Parse(list) as JsonArray ?? throw new JsonException())
            {
                if (package is not JsonObject entry || entry.Text("name") is not { } name || entry.Text("version") is not { } version)
                {
                    return null;
                }

                packages[PackageSpec.Normalize(name)] = version;
                if (entry.Flag("tool") == true)
                {
                    tools.Add(PackageSpec.Normalize(name));
                }
            }

            return (packages, tools);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Outcome<BuiltEnvironment> Explain(string key, ExitRecord exit)
    {
        var log = TaskFile.TryRead(cache.FolderOf(key), "build.log", MostLog) ?? "";
        var lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var offline = lines.Any(line => line.Contains("NewConnectionError", StringComparison.Ordinal) || line.Contains("ConnectTimeoutError", StringComparison.Ordinal) || line.Contains("ProxyError", StringComparison.Ordinal));
        var error = lines.LastOrDefault(line => line.StartsWith("ERROR: ", StringComparison.Ordinal))?["ERROR: ".Length..];
        return NotBuilt(
            exit.Stopped is not null ? $"it took longer than {options.EnvironmentBuildTime.TotalMinutes:0.#} minutes"
            : log.Contains("ensurepip is not", StringComparison.Ordinal) || log.Contains("No module named venv", StringComparison.Ordinal) ? "its Python cannot make virtual environments (on Debian: install python3-venv)"
            : offline ? $"no package index can be reached, and neither has {pip.Wheels} what is needed ({error ?? lines.LastOrDefault()})"
            : error ?? exit.ContainedBy ?? lines.LastOrDefault() ?? exit.Reason);
    }

    private static Problem NotBuilt(string why) => new(ProblemKind.Invalid, "EnvironmentNotBuilt", why);
}
