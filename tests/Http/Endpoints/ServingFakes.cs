using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Storage;
using Zaffre.Web;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Endpoints;

/// <summary>Starts tasks as plain processes: targets of binds become their sources. They end with the test, not with the server.</summary>
internal sealed class UnsandboxedLauncher : ITaskLauncher, IDisposable
{
    private readonly ConcurrentDictionary<TaskId, Process> started = new();

    private static readonly Lock Writing = new();

    public int Starts { get; private set; }

    public Task<Outcome<RunningTask>> StartAsync(TaskSpec spec, CancellationToken ct)
    {
        string Real(string text) => spec.Binds.OrderByDescending(b => b.Target.Length).Aggregate(text, (t, b) => t.Replace(b.Target, b.Source, StringComparison.Ordinal));
        var start = new ProcessStartInfo(spec.Command[0]) { WorkingDirectory = Real(spec.WorkingDirectory), RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Real(spec.Command[1]));
        foreach (var (name, value) in spec.Environment)
        {
            // The model's folder is the parent of what is bound.
            start.Environment[name] = name == "AZUREML_MODEL_DIR" ? Path.GetDirectoryName(spec.Binds.Single(b => b.Target.StartsWith(value, StringComparison.Ordinal)).Source)! : Real(value);
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Append(spec.LogPath, line.Data);
        process.ErrorDataReceived += (_, line) => Append(spec.LogPath, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        started[spec.Id] = process;
        Starts++;
        return Task.FromResult<Outcome<RunningTask>>(new RunningTask(spec.Id, DateTimeOffset.UtcNow));
    }

    public Task<Outcome<PreparedTask>> PrepareAsync(TaskSpec spec, CancellationToken ct) => throw new NotSupportedException();

    public Task<Outcome<RunningTask>> StartPreparedAsync(TaskId id, CancellationToken ct) => throw new NotSupportedException();

    public IReadOnlySet<string> Names() => started.Keys.Select(id => id.Name).ToHashSet(StringComparer.Ordinal);

    public Task<TaskStage> InspectAsync(TaskId id, CancellationToken ct) =>
        Task.FromResult(!started.TryGetValue(id, out var process) ? TaskStage.Unknown : process.HasExited ? TaskStage.Ended : TaskStage.Running);

    public async Task<ExitRecord> WaitAsync(TaskId id, CancellationToken ct)
    {
        if (started.TryGetValue(id, out var process))
        {
            await process.WaitForExitAsync(ct);
            return new ExitRecord { ExitCode = process.ExitCode, Reason = $"exited with code {process.ExitCode}" };
        }

        return new ExitRecord { Lost = true, Reason = "lost" };
    }

    public async Task StopAsync(TaskId id, StopReason reason, TimeSpan grace, CancellationToken ct)
    {
        if (started.TryGetValue(id, out var process) && !process.HasExited)
        {
            using var term = Process.Start("/bin/kill", $"-TERM {process.Id}");
            try
            {
                await process.WaitForExitAsync(ct).WaitAsync(grace, ct);
            }
            catch (TimeoutException)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    public Task RemoveAsync(TaskId id, CancellationToken ct) => Task.CompletedTask;

    /// <summary>Kills every instance with all its processes, as a machine in need of memory does.</summary>
    public void KillAll()
    {
        foreach (var process in started.Values.Where(p => !p.HasExited))
        {
            process.Kill(entireProcessTree: true);
        }
    }

    public int Living => started.Values.Count(p => !p.HasExited);

    /// <summary>Waits until so many instances live: the end of an operation is told before the instances of its loser have ended.</summary>
    public async Task LeavesAsync(int count)
    {
        while (Living > count)
        {
            await Task.WhenAny(started.Values.Where(p => !p.HasExited).Select(p => p.WaitForExitAsync())).WaitAsync(TimeSpan.FromSeconds(60));
        }

        Assert.Equal(count, Living);
    }

    public void Dispose()
    {
        KillAll();
        foreach (var process in started.Values)
        {
            process.Dispose();
        }
    }

    private static void Append(string path, string? line)
    {
        lock (Writing)
        {
            File.AppendAllText(path, line + "\n");
        }
    }
}

/// <summary>Every reference is an asset whose URI is the reference's own name; those called <c>none</c> do not exist.</summary>
internal sealed class LocalAssets(string root) : IAssets
{
    public Task<Outcome<AssetVersion>> ResolveAsync(WorkspaceRef workspace, AssetType type, string reference, CancellationToken ct)
    {
        var kind = type == AssetType.Code ? "codes" : "models";
        if (!Directory.Exists(Path.Combine(root, kind, reference)))
        {
            return Task.FromResult<Outcome<AssetVersion>>(ArmErrors.NotFound($"{type} '{reference}'"));
        }

        var member = type == AssetType.Code ? "codeUri" : "modelUri";
        var uri = type == AssetType.Code ? $"codes/{reference}" : File.Exists(Path.Combine(root, kind, reference, "model.onnx")) ? $"models/{reference}/model.onnx" : $"models/{reference}/model";
        var resource = new Resource
        {
            Id = workspace.Child(kind, reference).Child("versions", "1"),
            Document = new JsonObject
            {
                ["properties"] = new JsonObject { [member] = uri, ["modelType"] = File.Exists(Path.Combine(root, kind, reference, "model", "MLmodel")) ? "mlflow_model" : reference.StartsWith("triton", StringComparison.Ordinal) ? "triton_model" : "custom_model" },
            },
            Revision = 1,
            Sequence = 1,
            CreatedBy = "",
            CreatedByType = "",
            CreatedAt = default,
            LastModifiedBy = "",
            LastModifiedByType = "",
            LastModifiedAt = default,
        };
        return Task.FromResult<Outcome<AssetVersion>>(new AssetVersion(type, reference, "1", resource));
    }

    public Task<Outcome<AssetVersion?>> FindSameAsync(WorkspaceRef workspace, ArmId versionId, JsonObject properties, CancellationToken ct) => throw new NotSupportedException();

    public Task<AssetVersion?> FindVersionAsync(WorkspaceRef workspace, AssetType type, string name, string version, CancellationToken ct) => throw new NotSupportedException();

    public ArmId Register(Zaffre.Database.WriteScope scope, WorkspaceRef workspace, NewAsset asset, Caller actor) => throw new NotSupportedException();

    public Task<string> NextVersionAsync(WorkspaceRef workspace, AssetType type, string name, CancellationToken ct) => throw new NotSupportedException();

    public Task<string> ToAssetIdAsync(ArmId versionId, CancellationToken ct) => throw new NotSupportedException();
}

internal sealed class LocalUris : IUriResolver
{
    public Task<Outcome<ResolvedUri>> ResolveAsync(WorkspaceRef workspace, string uri, CancellationToken ct) =>
        Task.FromResult<Outcome<ResolvedUri>>(new ResolvedUri { Uri = uri, Blob = new BlobLocation("account", "container", uri), Shape = UriShape.Folder });
}

internal sealed class LocalBlobs(string root) : IBlobStore
{
    public string? TryGetLocalPath(BlobAddress blob) => Path.Exists(Path.Combine(root, blob.Name)) ? Path.Combine(root, blob.Name) : null;

    public Task<BlobInfo?> FindAsync(BlobAddress blob, CancellationToken ct) =>
        Task.FromResult(File.Exists(Path.Combine(root, blob.Name)) ? Info(blob.Name) : null);

    public Task<Stream?> OpenReadAsync(BlobAddress blob, CancellationToken ct) =>
        Task.FromResult<Stream?>(File.Exists(Path.Combine(root, blob.Name)) ? File.OpenRead(Path.Combine(root, blob.Name)) : null);

    public Task<Outcome<BlobInfo>> PutAsync(BlobAddress blob, Stream content, BlobWrite options, CancellationToken ct) => throw new NotSupportedException();

    public Task<Outcome<BlobInfo>> AppendAsync(BlobAddress blob, ReadOnlyMemory<byte> content, CancellationToken ct) => throw new NotSupportedException();

    public Problem? WriteLog(BlobAddress blob, ReadOnlySpan<byte> lines, bool append) => throw new NotSupportedException();

    public Task<Page<BlobInfo>> ListAsync(BlobAddress prefix, int top, string? continuation, CancellationToken ct) => Task.FromResult(new Page<BlobInfo>(
        [.. Directory.GetFiles(Path.Combine(root, prefix.Name), "*", SearchOption.AllDirectories).Select(f => Info(Path.GetRelativePath(root, f)))], null));

    public Task<bool> DeleteAsync(BlobAddress blob, CancellationToken ct) => throw new NotSupportedException();

    public Task DeleteFolderAsync(BlobAddress folder, CancellationToken ct) => throw new NotSupportedException();

    public Outcome<string> EnsureFolder(BlobAddress folder) => throw new NotSupportedException();

    private BlobInfo Info(string name) => new() { Name = name, Size = new FileInfo(Path.Combine(root, name)).Length, ETag = "\"1\"", LastModified = DateTimeOffset.UnixEpoch };

    public Task<FolderDigest> DigestAsync(BlobAddress folder, CancellationToken ct) => throw new NotSupportedException();
}

internal sealed class HostPython : IEnvironments
{
    private readonly List<JsonObject?> asked = [];

    /// <summary>The documents that were to be made real.</summary>
    public IReadOnlyList<JsonObject?> Asked => asked;

    public string? ReadBuildLog(string key) => null;

    public string? WhyNever(JsonObject document, string? compute) => null;

    public Task<Outcome<RealEnvironment>> ResolveAsync(EnvironmentRequest request, CancellationToken ct)
    {
        asked.Add(request.Document);
        return Task.FromResult<Outcome<RealEnvironment>>(Host());
    }

    private static RealEnvironment Host() => new()
    {
        Kind = EnvironmentKind.Host,
        Interpreter = "/usr/bin/python3",
        Explanation = ["The host's interpreter"],
        Variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["PATH"] = "/usr/bin:/bin", ["PYTHONPATH"] = $"{Repository.Python}/runtime" },
        Binds = [new TaskBind(Repository.Python, PythonRuntime.Path)],
    };
}

internal static class Repository
{
    public static string Python { get; } = Find("python");

    /// <summary>The models that the unit tests of ONNX are made of.</summary>
    public static string OnnxModels { get; } = Find("tests/Unit/Gateway/onnx");

    private static string Find(string relative)
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Zaffre.slnx")))
        {
            at = at.Parent!;
        }

        return Path.Combine(at.FullName, relative);
    }
}
