using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>A virtual environment that exists: where, for which declaration, and what is in it (<c>name==version</c>).</summary>
internal sealed record BuiltEnvironment(string Key, string Path, IReadOnlyDictionary<string, string> Packages, double Seconds);

/// <summary>
/// Virtual environments below <c>environments/{key}/</c>: <c>work/venv</c>, <c>build.log</c>, and <c>built.json</c>, which is written last and makes it
/// count. The key is a digest of what is declared and of the host's Python. Building runs other people's code (the set-up scripts of packages), so it is a
/// task in the sandbox like any other. One build for each key at a time; one that a restart interrupted is waited for, or begun again.
/// </summary>
internal sealed class VirtualEnvironments(
    DataDirectory data, ITaskLauncher launcher, ITaskAdmission admission, ComputeOptions options, TimeProvider time, ILogger<VirtualEnvironments> logger)
{
    private const int MostAnswer = 4 << 20;
    private const int MostLog = 256 * 1024;

    private const string Script = """
        set -eu
        umask 022
        echo "Building a virtual environment for:"; cat requirements.txt
        /usr/bin/python3 -m venv --clear venv
        venv/bin/python -I -m pip install --no-input --progress-bar off --retries 1 --timeout 15 $LINKS -r requirements.txt
        venv/bin/python -I -m pip list --format json >packages.json
        """;

    private readonly ConcurrentDictionary<string, Lazy<Task<Outcome<BuiltEnvironment>>>> building = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (DateTimeOffset At, Problem Why)> failed = new(StringComparer.Ordinal);
    private readonly FileTree files = new(data);

    /// <summary>Where people without an index put wheels; searched before any index.</summary>
    private string Wheels => data.Path("wheels");

    /// <summary>The key of a declaration on a host with this Python.</summary>
    public static string KeyOf(DeclaredPackages declared, string python) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"1\n{python}\n{Requirements(declared)}")))[..24];

    /// <summary>The environment when it was built before, else null.</summary>
    public BuiltEnvironment? Find(string key)
    {
        // Written by this server, and only from checked values.
        var file = data.Path("environments", key, "built.json");
        return File.Exists(file) && JsonNode.Parse(File.ReadAllText(file)) is JsonObject built
            ? new BuiltEnvironment(
                key, data.Path("environments", key, "work", "venv"),
                built["packages"]!.AsObject().ToDictionary(p => p.Key, p => p.Value!.GetValue<string>(), StringComparer.Ordinal), built["seconds"]!.GetValue<double>())
            : null;
    }

    /// <summary>Builds it, or joins the build that runs. Canceling ends the waiting, not the build. The problem says what pip could not find, and why.</summary>
    public async Task<Outcome<BuiltEnvironment>> BuildAsync(string key, DeclaredPackages declared, CancellationToken ct)
    {
        if (failed.TryGetValue(key, out var last) && time.GetUtcNow() - last.At < options.EnvironmentRetryAfter)
        {
            return last.Why;
        }

        var build = building.GetOrAdd(key, _ => new(() => RunAsync(key, declared)));
        return await build.Value.WaitAsync(ct);
    }

    private static string Requirements(DeclaredPackages declared) =>
        string.Concat(declared.PipOptions.Concat(declared.Packages.Where(p => !EnvironmentResolver.IsTool(p.Name) && p.Name != "python").Select(p => p.Requirement)).Select(line => line + "\n"));

    private async Task<Outcome<BuiltEnvironment>> RunAsync(string key, DeclaredPackages declared)
    {
        try
        {
            var outcome = Find(key) is { } there ? there : await BuildNowAsync(key, declared);
            if (outcome.TryGet(out _, out var why))
            {
                failed.TryRemove(key, out _);
            }
            else
            {
                failed[key] = (time.GetUtcNow(), why);
                ComputeLog.EnvironmentNotBuilt(logger, key, why.Message);
            }

            return outcome;
        }
        finally
        {
            building.TryRemove(key, out _);
        }
    }

    private async Task<Outcome<BuiltEnvironment>> BuildNowAsync(string key, DeclaredPackages declared)
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
            if (!(await launcher.StartAsync(Prepare(key, declared, host, task), CancellationToken.None)).TryGet(out _, out var problem))
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
        return exit.Succeeded && TaskFile.TryRead(WorkOf(key), "packages.json", MostAnswer) is { } list
            ? Record(key, list, clock.Elapsed.TotalSeconds)
            : Explain(key, exit);
    }

    private string WorkOf(string key) => data.Path("environments", key, "work");

    private TaskSpec Prepare(string key, DeclaredPackages declared, HostSandbox host, TaskId task)
    {
        var folder = data.Path("environments", key);
        files.Delete(folder);
        Directory.CreateDirectory(WorkOf(key));
        File.WriteAllText(Path.Combine(WorkOf(key), "requirements.txt"), Requirements(declared));
        files.Hand(host, [WorkOf(key)]);
        var links = Directory.Exists(Wheels);
        return new TaskSpec
        {
            Id = task,
            Command = ["/bin/sh", "-c", Script],
            WorkingDirectory = WorkOf(key),
            LogPath = Path.Combine(folder, "build.log"),
            Environment = Variables(WorkOf(key), links),
            Binds = [new TaskBind(WorkOf(key), WorkOf(key), Writable: true), .. links ? [new TaskBind(Wheels, Wheels)] : Array.Empty<TaskBind>()],
        };
    }

    // How pip reaches an index is the operator's: the server's own PIP_ and proxy variables, and /etc/pip.conf, which tasks see.
    private Dictionary<string, string> Variables(string work, bool links)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["HOME"] = work,
            ["LANG"] = "C.UTF-8",
            ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1",
            ["PIP_NO_CACHE_DIR"] = "1",
            ["LINKS"] = links ? $"--find-links {Wheels}" : "",
        };
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable is { Key: string name, Value: string value } && (name.StartsWith("PIP_", StringComparison.Ordinal) || Passed.Contains(name)))
            {
                variables[name] = value;
            }
        }

        return variables;
    }

    private static readonly HashSet<string> Passed = new(StringComparer.OrdinalIgnoreCase) { "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY" };

    private Outcome<BuiltEnvironment> Record(string key, string list, double seconds)
    {
        if (Installed(list) is not { } packages)
        {
            return NotBuilt("pip did not say what it installed");
        }

        var aside = data.Path("environments", key, "built.tmp");
        File.WriteAllText(aside, new JsonObject { ["packages"] = packages, ["seconds"] = Math.Round(seconds, 1) }.ToJsonString());
        File.Move(aside, data.Path("environments", key, "built.json"), overwrite: true);
        ComputeLog.EnvironmentBuilt(logger, key, Math.Round(seconds, 1));
        return Find(key)!;
    }

    // What a package's set-up script replaced may have written it: anything is possible.
    private static JsonObject? Installed(string list)
    {
        try
        {
            var packages = new JsonObject();
            foreach (var package in JsonNode.Parse(list) as JsonArray ?? throw new JsonException())
            {
                if (package is not JsonObject entry || entry.Text("name") is not { } name || entry.Text("version") is not { } version)
                {
                    return null;
                }

                packages[PackageSpec.Normalize(name)] = version;
            }

            return packages;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Outcome<BuiltEnvironment> Explain(string key, ExitRecord exit)
    {
        var log = TaskFile.TryRead(data.Path("environments", key), "build.log", MostLog) ?? "";
        var lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var offline = lines.Any(line => line.Contains("NewConnectionError", StringComparison.Ordinal) || line.Contains("ConnectTimeoutError", StringComparison.Ordinal) || line.Contains("ProxyError", StringComparison.Ordinal));
        var error = lines.LastOrDefault(line => line.StartsWith("ERROR: ", StringComparison.Ordinal))?["ERROR: ".Length..];
        return NotBuilt(
            exit.Stopped is not null ? $"it took longer than {options.EnvironmentBuildTime.TotalMinutes:0.#} minutes"
            : log.Contains("ensurepip is not", StringComparison.Ordinal) ? "this host's Python cannot make virtual environments (install python3-venv)"
            : offline ? $"no package index can be reached, and neither has {Wheels} what is needed ({error ?? lines.LastOrDefault()})"
            : $"{error ?? exit.ContainedBy ?? lines.LastOrDefault() ?? exit.Reason}; all of it is in {data.Path("environments", key, "build.log")} on the server");
    }

    private static Problem NotBuilt(string why) => new(ProblemKind.Invalid, "EnvironmentNotBuilt", why);
}
