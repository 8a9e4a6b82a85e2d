using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Zaffre.Compute.Environments;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Compute.Containers;

/// <summary>
/// Images as folders: <c>images/{id}/work/root</c>, and <c>image.json</c>, written last, which makes it count. The engine exports, and a task in the sandbox unpacks as
/// the tasks' user: what an image holds is other people's, and no file of it belongs to root or keeps another's right. Once for all that wait.
/// </summary>
internal sealed partial class ImageStore(DataDirectory data, EnvironmentCache environments, ITaskLauncher launcher, ITaskAdmission admission, TimeProvider time)
{
    private const string Work = "/mnt/zaffre/work";
    private const string Tar = "/mnt/zaffre/image.tar";
    private static readonly TimeSpan JustUsed = TimeSpan.FromMinutes(10);

    private const int MostAnswer = 64 * 1024;

    // What tasks mount over must be there; what an image says about devices and processes must not.
    private const string Unpack = """
        set -eu
        umask 022
        mkdir root
        tar --no-same-owner --delay-directory-restore -xf /mnt/zaffre/image.tar -C root --exclude='dev/*' --exclude='proc/*' --exclude='sys/*'
        chmod -R u+rwX root
        mkdir -p root/etc
        for file in passwd group resolv.conf hosts; do
          [ -f "root/etc/$file" ] && [ ! -L "root/etc/$file" ] || { rm -rf "root/etc/$file"; : >"root/etc/$file"; }
        done
        """;

    private const string Ask = """
        for name in python3 python; do
          command -v $name >/dev/null 2>&1 || continue
          exec $name -I -c 'import json, os, platform, sys; print(json.dumps({"python": os.path.realpath(sys.executable), "version": platform.python_version()}))'
        done
        """;

    private readonly ConcurrentDictionary<string, Lazy<Task<Outcome<RealImage>>>> unpacking = new(StringComparer.Ordinal);
    private readonly FileTree files = new(data);

    /// <summary>The image as a folder, made when it is not there yet. Canceling ends the waiting, not the work.</summary>
    public async Task<Outcome<RealImage>> MaterializeAsync(ContainerEngine engine, EngineImage image, CancellationToken ct)
    {
        var key = KeyOf(image.Id);
        if (Find(key) is { } there)
        {
            File.SetLastWriteTimeUtc(data.Path("images", key, "image.json"), time.GetUtcNow().UtcDateTime);
            return there;
        }

        var work = unpacking.GetOrAdd(key, _ => new(() => UnpackAsync(engine, image, key)));
        return await work.Value.WaitAsync(ct);
    }

    /// <summary>Whether the image of that id is a folder already; then the engine need not have it any more.</summary>
    public bool Holds(string id) => Find(KeyOf(id)) is not null;

    private static string KeyOf(string id) => id[..Math.Min(24, id.Length)];

    /// <summary>Removes the files of images that nothing used for that long (the engine keeps its own); their keys.</summary>
    public IReadOnlyList<string> RemoveUnused(TimeSpan unusedFor)
    {
        var used = environments.InUse(UseForm());
        var before = time.GetUtcNow().UtcDateTime - unusedFor - JustUsed;
        var removed = new List<string>();
        foreach (var key in Directory.Exists(data.Path("images")) ? Directory.GetDirectories(data.Path("images")).Select(path => Path.GetFileName(path)!) : [])
        {
            if (!used.Contains(key) && !unpacking.ContainsKey(key) && Find(key) is not null && File.GetLastWriteTimeUtc(data.Path("images", key, "image.json")) <= before)
            {
                // Without this file nothing of it counts any more.
                File.Delete(data.Path("images", key, "image.json"));
                files.Delete(data.Path("images", key));
                removed.Add(key);
            }
        }

        return removed;
    }

    private RealImage? Find(string key)
    {
        var file = data.Path("images", key, "image.json");
        return File.Exists(file) && JsonNode.Parse(File.ReadAllText(file)) is JsonObject stored ? RealImage.Read(key, RootOf(key), stored) : null;
    }

    private string RootOf(string key) => data.Path("images", key, "work", "root");

    private async Task<Outcome<RealImage>> UnpackAsync(ContainerEngine engine, EngineImage image, string key)
    {
        try
        {
            if (Find(key) is { } there)
            {
                return there;
            }

            if (!(await admission.AdmitAsync(CancellationToken.None)).TryGet(out var host, out var refused))
            {
                return refused;
            }

            if (host is not { Root: true, Sandboxed: true })
            {
                return new Problem(ProblemKind.Unsupported, "OperationNotSupported", "Containers need a server that runs as root and a host with bubblewrap: without them what is mounted into an image could not be checked.");
            }

            var folder = data.Path("images", key);
            var work = data.Path("images", key, "work");
            files.Delete(folder);
            Directory.CreateDirectory(work);
            files.Hand(host, [work]);
            var tar = data.Path("images", key, "image.tar");
            if (await engine.ExportAsync(image, tar, CancellationToken.None) is { } problem || (problem = await RunAsync(key, "unpack", Unpack, [new TaskBind(work, Work, Writable: true), new TaskBind(tar, Tar)])) is not null)
            {
                return problem;
            }

            File.Delete(tar);
            return await RecordAsync(image, key);
        }
        finally
        {
            unpacking.TryRemove(key, out _);
        }
    }

    private async Task<Outcome<RealImage>> RecordAsync(EngineImage image, string key)
    {
        var root = RootOf(key);
        if (!Exists(root, "bin/sh"))
        {
            return new Problem(ProblemKind.Invalid, "ImageNotUsable", "The image has no /bin/sh, which commands need.") { Target = "properties.image" };
        }

        var variables = image.Variables.Select(v => v.Split('=', 2)).Where(v => v.Length == 2 && v[0].Length > 0).DistinctBy(v => v[0]).ToDictionary(v => v[0], v => v[1], StringComparer.Ordinal);
        var found = new RealImage(key, root, variables, Exists(root, "bin/bash") ? "/bin/bash" : "/bin/sh", null, null);
        var asked = await RunAsync(key, "ask", Ask, [new TaskBind(root, "/"), new TaskBind(data.Path("images", key, "work"), Work, Writable: true)], found.Path);
        if (asked is null && Answer(key) is { } python)
        {
            found = found with { PythonVersion = python.Text("version"), PythonExecutable = python.Text("python") };
        }

        var aside = data.Path("images", key, "image.tmp");
        File.WriteAllText(aside, found.Write().ToJsonString());
        File.Move(aside, data.Path("images", key, "image.json"), overwrite: true);
        return found;
    }

    private JsonObject? Answer(string key)
    {
        try
        {
            return TaskFile.TryRead(data.Path("images", key), "ask.log", MostAnswer) is { } text && JsonNode.Parse(text) is JsonObject answer
                && answer.Text("python") is { } python && python.StartsWith('/') && answer.Text("version") is not null ? answer : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<Problem?> RunAsync(string key, string step, string script, IReadOnlyList<TaskBind> binds, string path = "/usr/bin:/bin")
    {
        var task = new TaskId($"image-{key}-{step}", 0);

        // A step that a killed server began may still run: it is of no use any more, its folder was made anew.
        await launcher.StopAsync(task, StopReason.Removed, TimeSpan.Zero, CancellationToken.None);
        await launcher.RemoveAsync(task, CancellationToken.None);
        var log = data.Path("images", key, step + ".log");
        var started = await launcher.StartAsync(
            new TaskSpec
            {
                Id = task,
                Command = ["/bin/sh", "-c", script],
                WorkingDirectory = Work,
                LogPath = log,
                Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = path, ["HOME"] = "/tmp", ["LANG"] = "C.UTF-8" },
                Binds = binds,
                Network = TaskNetwork.None,
            },
            CancellationToken.None);
        if (!started.TryGet(out _, out var problem))
        {
            return problem;
        }

        var exit = await launcher.WaitAsync(task, CancellationToken.None);
        await launcher.RemoveAsync(task, CancellationToken.None);
        return exit.Succeeded ? null : new Problem(ProblemKind.Invalid, "ImageNotUsable", $"The image cannot be made ready ({step}): {LogFile.LastLine(files, log) ?? exit.Reason}");
    }

    // By the names alone: links of an image lead within it.
    private static bool Exists(string root, string path) => new FileInfo(Path.Combine(root, path)) is var file
        && (file.Exists || file.LinkTarget is not null || (new DirectoryInfo(Path.Combine(root, "bin")).LinkTarget is { } bin && Exists(Path.Combine(root, bin.TrimStart('/')), Path.GetFileName(path), 1)));

    private static bool Exists(string folder, string name, int depth) => depth > 0 && new FileInfo(Path.Combine(folder, name)) is var file && (file.Exists || file.LinkTarget is not null);

    [GeneratedRegex("images/(?<key>[0-9a-f]{12,24})/work", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex UseForm();
}
