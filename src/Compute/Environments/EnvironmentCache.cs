using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Compute.Environments;

/// <summary>A virtual environment that exists: where a task sees it, and what is in it (versions by name).</summary>
internal sealed record BuiltEnvironment(string Key, string Path, IReadOnlyDictionary<string, string> Packages, double Seconds)
{
    /// <summary>Those of the packages that only serve to install.</summary>
    public required IReadOnlySet<string> Tools { get; init; }

    /// <summary>The packages without the tools.</summary>
    public Dictionary<string, string> Locked => Packages.Where(package => !Tools.Contains(package.Key)).ToDictionary(StringComparer.Ordinal);
}

/// <summary>One entry of the cache: built, or (then <paramref name="Failure"/> says why) not.</summary>
internal sealed record CachedEnvironment(string Key, BuiltEnvironment? Built, string? Failure, DateTimeOffset LastUsed, long Bytes, bool InUse);

/// <summary>
/// The folders <c>environments/{key}/</c>: <c>work/venv</c>, <c>build.log</c>, <c>built.json</c> (written last: only then it counts), <c>failed.json</c> of a build that
/// failed, and <c>used</c>, whose time says when a task last wanted it. What is removed is renamed first, so that nothing half there is ever used.
/// </summary>
internal sealed partial class EnvironmentCache(DataDirectory data, TimeProvider time, ILogger<EnvironmentCache> logger)
{
    private const string Gone = ".gone-";
    private static readonly string[] PlanFiles = ["arguments", "enter", "mounts"];
    private static readonly TimeSpan JustUsed = TimeSpan.FromMinutes(10);

    private readonly FileTree files = new(data);

    private string Root => data.Path("environments");

    /// <summary>The folder of a key.</summary>
    public string FolderOf(string key) => data.Path("environments", key);

    /// <summary>What a build writes into; its log lies beside it.</summary>
    public string WorkOf(string key) => data.Path("environments", key, "work");

    public string LogOf(string key) => data.Path("environments", key, "build.log");

    /// <summary>Whether a text can be a key.</summary>
    public static bool IsKey(string text) => KeyForm().IsMatch(text);

    /// <summary>The environment when it was built before, else null. <paramref name="path"/> is where tasks see it.</summary>
    public BuiltEnvironment? Find(string key, string path)
    {
        // Written by this server, and only from checked values.
        var file = data.Path("environments", key, "built.json");
        return File.Exists(file) && JsonNode.Parse(File.ReadAllText(file)) is JsonObject built
            ? new BuiltEnvironment(
                key, path, built["packages"]!.AsObject().ToDictionary(p => p.Key, p => p.Value!.GetValue<string>(), StringComparer.Ordinal), built["seconds"]!.GetValue<double>())
            {
                Tools = built["tools"] is JsonArray tools ? tools.Select(tool => tool!.GetValue<string>()).ToHashSet(StringComparer.Ordinal) : EnvironmentResolver.Tools,
            }
            : null;
    }

    /// <summary>Why the last build failed and when, or null.</summary>
    public (string Why, DateTimeOffset At)? Failure(string key)
    {
        var file = new FileInfo(data.Path("environments", key, "failed.json"));
        return file.Exists && JsonNode.Parse(File.ReadAllText(file.FullName)).Text() is { } why ? (why, new DateTimeOffset(file.LastWriteTimeUtc)) : null;
    }

    /// <summary>Notes that a task wants it now.</summary>
    public void Touch(string key)
    {
        var mark = data.Path("environments", key, "used");
        if (!File.Exists(mark))
        {
            File.WriteAllBytes(mark, []);
        }

        File.SetLastWriteTimeUtc(mark, time.GetUtcNow().UtcDateTime);
    }

    /// <summary>An empty folder to build in.</summary>
    public void Begin(string key)
    {
        Discard(FolderOf(key));
        Directory.CreateDirectory(WorkOf(key));
    }

    /// <summary>What a task of this host may write becomes its own.</summary>
    public void Hand(HostSandbox host, string folder) => files.Hand(host, [folder]);

    /// <summary>From now on it counts.</summary>
    public void Record(string key, JsonObject packages, JsonArray tools, double seconds)
    {
        Write(key, "built.json", new JsonObject { ["packages"] = packages, ["tools"] = tools, ["seconds"] = Math.Round(seconds, 1) });
        Touch(key);
        ComputeLog.EnvironmentBuilt(logger, key, Math.Round(seconds, 1));
    }

    /// <summary>Keeps why it could not be built, beside the log.</summary>
    public void RecordFailure(string key, string why)
    {
        ComputeLog.EnvironmentNotBuilt(logger, key, why);
        if (Directory.Exists(FolderOf(key)))
        {
            files.Delete(WorkOf(key));
            Write(key, "failed.json", JsonValue.Create(why));
        }
    }

    /// <summary>Everything in the cache, the longest unused first.</summary>
    public IReadOnlyList<CachedEnvironment> List()
    {
        var used = KeysInUse();
        return [.. Keys().Select(key => new CachedEnvironment(key, Find(key, WorkOf(key)), Failure(key)?.Why, LastUsed(key), Size(key), used.Contains(key))).OrderBy(entry => entry.LastUsed)];
    }

    /// <summary>Removes it; the problem says that there is none, or that something runs in it or is about to.</summary>
    public Problem? Remove(string key)
    {
        Sweep();
        if (!IsKey(key) || !Directory.Exists(FolderOf(key)))
        {
            return new Problem(ProblemKind.NotFound, "EnvironmentNotFound", $"There is no built environment '{key}'.");
        }

        if (KeysInUse().Contains(key) || (Failure(key) is null && time.GetUtcNow() - LastUsed(key) < JustUsed))
        {
            return new Problem(ProblemKind.Conflict, "EnvironmentInUse", $"The built environment '{key}' is in use, or was asked for within the last {JustUsed.TotalMinutes} minutes. Wait for the end of what runs in it.");
        }

        Discard(FolderOf(key));
        return null;
    }

    /// <summary>Removes what nothing used for that long; the keys of what went.</summary>
    public IReadOnlyList<string> RemoveUnused(TimeSpan unusedFor)
    {
        var before = time.GetUtcNow() - unusedFor;
        return [.. Keys().Where(key => LastUsed(key) <= before).Where(key => Remove(key) is null)];
    }

    private List<string> Keys() => Directory.Exists(Root) ? [.. Directory.EnumerateDirectories(Root).Select(path => Path.GetFileName(path)!).Where(IsKey)] : [];

    private DateTimeOffset LastUsed(string key)
    {
        var mark = data.Path("environments", key, "used");
        return new DateTimeOffset(File.Exists(mark) ? File.GetLastWriteTimeUtc(mark) : Directory.GetLastWriteTimeUtc(FolderOf(key)));
    }

    private long Size(string key)
    {
        var bytes = 0L;
        files.Visit(WorkOf(key), entry => bytes += Native.IsFile(entry) ? new FileInfo(FormattableString.Invariant($"/proc/self/fd/{entry.DangerousGetHandle()}")).Length : 0);
        return bytes;
    }

    private HashSet<string> KeysInUse() => InUse(UseForm());

    /// <summary>What the tasks that have not ended (builds among them) name in their plans, by the group <c>key</c> of a pattern.</summary>
    public HashSet<string> InUse(Regex pattern)
    {
        var tasks = data.Path("tasks");
        var named = !Directory.Exists(tasks) ? [] : Directory.EnumerateDirectories(tasks).SelectMany(Directory.EnumerateDirectories)
            .Where(attempt => !File.Exists(Path.Combine(attempt, "exit"))).SelectMany(NamedBy);
        return named.SelectMany(text => pattern.Matches(text).Select(match => match.Groups["key"].Value)).ToHashSet(StringComparer.Ordinal);
    }

    // A task that got a sandbox that waited has no plan of its own; what is below its Python is in its home.
    private static IEnumerable<string> NamedBy(string attempt) => PlanFiles.Select(file => Path.Combine(attempt, file)).Where(File.Exists).Select(File.ReadAllText)
        .Append(PythonOverlay.ReadBelow(Path.Combine(attempt, "home")) ?? "");

    private void Write(string key, string name, JsonNode content)
    {
        var aside = data.Path("environments", key, name + ".tmp");
        File.WriteAllText(aside, content.ToJsonString());
        File.Move(aside, data.Path("environments", key, name), overwrite: true);
    }

    private void Discard(string folder)
    {
        if (Directory.Exists(folder))
        {
            var aside = Path.Combine(Root, Gone + Guid.NewGuid().ToString("N"));
            Directory.Move(folder, aside);
            files.Delete(aside);
        }
    }

    // What a server that was killed had begun to remove.
    private void Sweep()
    {
        foreach (var left in Directory.Exists(Root) ? Directory.GetDirectories(Root, Gone + "*") : [])
        {
            files.Delete(left);
        }
    }

    [GeneratedRegex(@"^[0-9a-f]{24}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex KeyForm();

    [GeneratedRegex("environments/(?<key>[0-9a-f]{24})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex UseForm();
}
