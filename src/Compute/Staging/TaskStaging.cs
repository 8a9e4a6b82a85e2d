using System.ComponentModel;
using Zaffre.Compute.Environments;
using Zaffre.Compute.Launch;
using Zaffre.Kernel;

namespace Zaffre.Compute.Staging;

/// <summary>
/// A task's files. In the sandbox's view: <c>/mnt/azureml/wd</c> (a copy of the code, with <c>outputs</c> and <c>logs</c> bound to the run's
/// artifacts), <c>/mnt/azureml/inputs/{name}</c>, <c>/mnt/azureml/outputs/{name}</c>, <c>/mnt/azureml/home</c>, and a <c>/tmp</c> on disk. Without a sandbox the
/// same things lie at their host paths.
/// </summary>
internal sealed class TaskStaging(DataDirectory data, ITaskAdmission admission, RemoteInputs remote) : IStaging
{
    private const string View = "/mnt/azureml";

    // Beside the task's lock and plan, where the task does not reach.
    private const string LockFile = "environment";

    private readonly FileTree files = new(data);
    private readonly PrivateFiles own = new(new FileTree(data));

    public async Task<Outcome<StagedTask>> PrepareAsync(StagingRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!(await admission.AdmitAsync(ct)).TryGet(out var host, out var problem) || !TaskFolder.Of(data, request.Id).TryGet(out var folder, out problem))
        {
            return problem;
        }

        var (fetched, problems) = await FetchAsync(request, folder, ct);
        problems.AddRange(request.Inputs.Where(i => i.LocalPath is { } path && !Path.Exists(path))
            .Select(i => new Problem(ProblemKind.NotFound, "InputNotFound", $"The input '{i.Name}' is not there any more.") { Target = "inputs." + i.Name }));
        if (problems.Count > 0)
        {
            return Problem.Combine(problems);
        }

        try
        {
            var copied = request.Inputs.Where(i => i is { Copy: true, LocalPath: not null } or { Files: not null }).ToArray();
            if (copied.Length > 0)
            {
                await Task.Run(() => own.Copy(folder, copied, ct), ct);
            }

            return Stage(request, folder, host, fetched);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            return new Problem(ProblemKind.InsufficientStorage, "StagingFailed", $"The files of the task could not be put in place: {e.Message}");
        }
    }

    public EnvironmentLock? LockOf(TaskId task) =>
        TaskFolder.Of(data, task).TryGet(out var folder, out _) && File.Exists(folder.At(LockFile)) ? EnvironmentLock.Read(File.ReadAllText(folder.At(LockFile))) : null;

    public Problem? Publish(StagingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var late = request.Outputs.Where(o => o.Late).ToArray();
        if (late.Length == 0 || !LateOutputs(request).TryGet(out var folder, out _))
        {
            return null;
        }

        foreach (var output in late)
        {
            try
            {
                own.Publish(folder, output);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
            {
                return new Problem(ProblemKind.Invalid, "OutputNotPublished", e.Message) { Target = "outputs." + output.Name };
            }
        }

        return null;
    }

    public IReadOnlyList<string> OpenOutputs(StagingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var there = LateOutputs(request).TryGet(out var of, out _) ? of : null;
        var told = new List<string>();
        var named = request.Outputs.Select(o => ($"The output '{o.Name}'", o.Late && there is not null ? PrivateFiles.OutputAt(there, o) : o.LocalPath));
        foreach (var (what, path) in named.Concat(ArtifactFolders.Select(name => ($"The folder '{name}'", Path.Combine(request.ArtifactPath, name)))))
        {
            var strange = new StrangeEntries(path);
            files.Visit(path, strange.Open);
            told.AddRange(strange.Told(what) is { } sentence ? [sentence] : []);
        }

        return told;
    }

    private static readonly string[] ArtifactFolders = ["outputs", "logs"];

    private StagedTask Stage(StagingRequest request, TaskFolder folder, HostSandbox host, Dictionary<string, string> fetched)
    {
        var (work, home, temporary) = (folder.At("work"), folder.At("home"), folder.At("tmp"));
        var seen = host.Sandboxed ? View + "/home" : home;
        var artifacts = ArtifactFolders.ToDictionary(name => name, name => Path.Combine(request.ArtifactPath, name), StringComparer.Ordinal);
        files.Delete(work);
        Directory.CreateDirectory(work);
        Directory.CreateDirectory(home);
        Directory.CreateDirectory(temporary);
        if (request.CodePath is { } code)
        {
            files.Copy(code, work);
        }

        var binds = new List<TaskBind> { new(work, View + "/wd", Writable: true), new(home, View + "/home", Writable: true), new(temporary, "/tmp", Writable: true) };
        using var root = files.EnsureFolder(request.ArtifactPath);
        foreach (var (name, path) in artifacts)
        {
            FileTree.MakeFolder(root, name).Dispose();
            if (host.Sandboxed)
            {
                Directory.CreateDirectory(Path.Combine(work, name));
            }
            else
            {
                Link(Path.Combine(work, name), path);
            }

            binds.Add(new TaskBind(path, $"{View}/wd/{name}", Writable: true));
        }

        binds.AddRange(request.Inputs.Select(i => new TaskBind(
            i.Remote is not null ? fetched[i.Name] : i.Copy || i.LocalPath is null ? PrivateFiles.InputAt(folder, i) : i.LocalPath, InputPath(i, folder, host.Sandboxed), Writable: i.Copy)));
        var outputs = Placed(request);
        foreach (var output in outputs)
        {
            Make(output);
            binds.Add(new TaskBind(output.LocalPath, OutputPath(output, host.Sandboxed), Writable: true));
        }

        KeepLock(request, folder);
        var python = PythonOverlay.Write(request.Environment, home, seen);
        files.Hand(host, [work, home, temporary, .. artifacts.Values, .. outputs.Select(o => o.LocalPath), .. request.Inputs.Where(i => i.Copy || i.Files is not null).Select(i => Path.Combine(folder.At("inputs"), i.Name))]);
        var logs = MakeLogs(request, host);
        string[] views = !request.ShowsLogs ? [] : host.Sandboxed ? [.. logs.Select(log => $"{View}/logs/{Path.GetFileName(log)}")] : logs;
        binds.AddRange(logs.Zip(views, (log, view) => new TaskBind(log, view, Writable: true)));

        return new StagedTask
        {
            WorkingDirectory = host.Sandboxed ? View + "/wd" : work,
            LogPaths = logs,
            LogViews = views,
            Binds = binds,
            Environment = Variables(seen, host.Sandboxed ? "/tmp" : temporary),
            Python = python,
            InputPaths = request.Inputs.ToDictionary(i => i.Name, i => InputPath(i, folder, host.Sandboxed), StringComparer.Ordinal),
            OutputPaths = outputs.ToDictionary(o => o.Name, o => OutputPath(o, host.Sandboxed), StringComparer.Ordinal),
        };
    }

    private static void KeepLock(StagingRequest request, TaskFolder folder)
    {
        if (request.Environment?.Lock is { } made)
        {
            File.WriteAllText(folder.At(LockFile), made.Text);
        }
    }

    private async Task<(Dictionary<string, string> Fetched, List<Problem> Problems)> FetchAsync(StagingRequest request, TaskFolder folder, CancellationToken ct)
    {
        var fetched = new Dictionary<string, string>(StringComparer.Ordinal);
        var problems = new List<Problem>();
        foreach (var input in request.Inputs.Where(i => i.Remote is not null))
        {
            var target = Path.Combine(folder.At("inputs"), input.Name, FileName(input.Remote!));
            if ((await remote.FetchAsync(input.Remote!, target, ct)).TryGet(out var path, out var problem))
            {
                fetched[input.Name] = path;
            }
            else
            {
                problems.Add(problem with { Target = "inputs." + input.Name });
            }
        }

        return (fetched, problems);
    }

    private static Dictionary<string, string> Variables(string home, string temporary) => new(StringComparer.Ordinal)
    {
        ["HOME"] = home,
        ["TMPDIR"] = temporary,
        ["PYTHONUNBUFFERED"] = "1",
    };

    private static string InputPath(TaskInput input, TaskFolder folder, bool sandboxed)
    {
        if (!sandboxed)
        {
            return input is { LocalPath: { } own, Copy: false } ? own : input.Remote is null ? PrivateFiles.InputAt(folder, input) : Path.Combine(folder.At("inputs"), input.Name, FileName(input.Remote!));
        }

        var name = input.LocalPath is { } path ? (Directory.Exists(path) ? null : Path.GetFileName(path)) : input.Remote is { } address ? FileName(address) : null;
        return $"{View}/inputs/{input.Name}" + (name is null ? "" : "/" + name);
    }

    private static string OutputPath(TaskOutput output, bool sandboxed) =>
        !sandboxed ? output.LocalPath
        : output.IsFile ? $"{View}/outputs/{output.Name}/{Path.GetFileName(output.LocalPath)}"
        : $"{View}/outputs/{output.Name}";

    private static string FileName(Uri uri) => Path.GetFileName(Uri.UnescapeDataString(uri.AbsolutePath)) is { Length: > 0 and < 200 } name && name is not ("." or "..") ? name : "input";

    /// <summary>The outputs where the task writes them.</summary>
    private TaskOutput[] Placed(StagingRequest request)
    {
        var late = LateOutputs(request).Value;
        return [.. request.Outputs.Select(output => output.Late ? output with { LocalPath = PrivateFiles.OutputAt(late, output) } : output)];
    }

    private Outcome<TaskFolder> LateOutputs(StagingRequest request) => TaskFolder.Of(data, request.OutputsOf ?? request.Id);

    private string[] MakeLogs(StagingRequest request, HostSandbox host)
    {
        var logs = request.Logs.Select(name => Path.Combine(request.ArtifactPath, name)).ToArray();
        foreach (var log in logs)
        {
            if (LogFile.Ensure(files, log, host) is { } unwritable)
            {
                throw new IOException(unwritable.Message);
            }
        }

        return logs;
    }

    private void Make(TaskOutput output)
    {
        var folder = Path.GetDirectoryName(output.LocalPath)!;
        using var parent = files.EnsureFolder(folder);
        var name = Path.GetFileName(output.LocalPath);
        (output.IsFile ? FileTree.MakeFile(parent, name) : FileTree.MakeFolder(parent, name)).Dispose();
    }

    private void Link(string at, string target)
    {
        if (Directory.Exists(at))
        {
            files.Delete(at);
        }

        File.CreateSymbolicLink(at, target);
    }
}
