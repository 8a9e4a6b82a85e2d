using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Endpoints.Online;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Endpoints.Runtime;

/// <summary>What an instance is started from: everything resolved, nothing specific to one instance.</summary>
internal sealed record DeploymentPlan
{
    public required IReadOnlyList<string> Command { get; init; }

    public required IReadOnlyList<TaskBind> Binds { get; init; }

    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    /// <summary>Where the command starts.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>How long an instance may take until it is ready; null takes the server's limit.</summary>
    public TimeSpan? ReadyWithin { get; init; }

    /// <summary>What scores, as the deployment states it.</summary>
    public required string Runtime { get; init; }

    /// <summary>What is written as <c>model.json</c> beside the instance's sockets: the model's description for a runtime without code.</summary>
    public string? Model { get; init; }

    /// <summary>Models that the gateway scores itself: then nothing is started, and command and binds are empty.</summary>
    public OnnxSource? Onnx { get; init; }

    /// <summary>What was chosen and why, for the preparation log.</summary>
    public required IReadOnlyList<string> Explanation { get; init; }
}

/// <summary>Resolves a deployment's model, code and environment to paths of this host, and chooses its runtime: the script when there is one, else what the model's files say.</summary>
internal sealed class DeploymentPlanner(IAssets assets, IUriResolver uris, IBlobStore blobs, IEnvironments environments, CodelessModels codeless, ExtraPackages extra)
{
    /// <summary>Where the worker finds its code, its model and its sockets.</summary>
    public const string CodeFolder = "/var/azureml-app/code";
    public const string ModelRoot = "/var/azureml-app/azureml-models";
    public const string SocketFolder = "/var/azureml-app/.zaffre";

    public async Task<Outcome<DeploymentPlan>> PlanAsync(WorkspaceRef workspace, JsonObject document, CancellationToken ct)
    {
        var properties = document.Object("properties") ?? [];
        Located? model = null;
        if (properties.Text("model") is { Length: > 0 } reference)
        {
            if (!(await LocateAsync(workspace, AssetType.Model, reference, "modelUri", ct)).TryGet(out model, out var missing))
            {
                return missing;
            }

            model = model with { Root = properties.Text("modelMountPath")?.TrimEnd('/') ?? ModelRoot };
        }

        if (properties["codeConfiguration"] is null && model is not null)
        {
            if (!(await codeless.Onnx.FindAsync(model.Files, properties.Object("environmentVariables") ?? [], ct)).TryGet(out var source, out var unfit))
            {
                return unfit;
            }

            if (source is not null)
            {
                return OfModels(source, model, document);
            }
        }

        var chosen = properties.Object("codeConfiguration") is { } code ? await ScriptAsync(workspace, code, ct) : await WithoutCodeAsync(model, ct);
        if (!chosen.TryGet(out var runtime, out var problem)
            || !(await EnvironmentAsync(workspace, properties, runtime.Code, ct)).TryGet(out var environment, out problem))
        {
            return problem;
        }

        List<TaskBind> binds = [.. runtime.Binds, .. environment.Binds];
        if (model is not null)
        {
            binds.Add(new TaskBind(model.Local, model.Target));
        }

        var python = PythonRuntime.Path;
        if (!binds.Any(b => b.Target == python))
        {
            binds.Add(new TaskBind(python, python));
        }

        return new DeploymentPlan
        {
            Command = [environment.Interpreter, System.IO.Path.Combine(python, "serving", "worker.py")],
            Binds = binds,
            Variables = Variables(environment, document, runtime, model),
            WorkingDirectory = runtime.Root,
            Runtime = runtime.Name,
            ReadyWithin = Probes.ReadyWithin(document),
            Model = runtime.Model,
            Explanation = [.. runtime.Explanation, .. model is null ? (string[])[] : [$"Model {model.Title} at {model.Target}"], .. environment.Explanation],
        };
    }

    private static Outcome<DeploymentPlan> OfModels(OnnxSource source, Located model, JsonObject document) =>
        OnnxRuntimeLibrary.Missing is { } missing
            ? ArmErrors.Unsupported($"scoring ONNX models: {missing}", "properties.model")
            : new DeploymentPlan
            {
                Command = [],
                Binds = [],
                Variables = new Dictionary<string, string>(StringComparer.Ordinal),
                WorkingDirectory = "/",
                Runtime = source.Runtime,
                ReadyWithin = Probes.ReadyWithin(document),
                Onnx = source,
                Explanation = [$"Runtime: {source.Runtime}, by ONNX Runtime {OnnxRuntimeLibrary.Version} in the gateway; no code was given, and no instance is started", $"Model {model.Title}"],
            };

    private async Task<Outcome<ChosenRuntime>> ScriptAsync(WorkspaceRef workspace, JsonObject code, CancellationToken ct)
    {
        if (!(await LocateAsync(workspace, AssetType.Code, code.Text("codeId") ?? "", "codeUri", ct)).TryGet(out var asset, out var problem))
        {
            return problem;
        }

        var script = code.Text("scoringScript") ?? "score.py";
        return new ChosenRuntime("score.py", CodeFolder, [new TaskBind(asset.Local, CodeFolder)], ("AZUREML_ENTRY_SCRIPT", script))
        {
            Code = asset.Blob,
            Explanation = [$"Runtime: the scoring script {script}", $"Code {asset.Title}"],
        };
    }

    private async Task<Outcome<ChosenRuntime>> WithoutCodeAsync(Located? model, CancellationToken ct)
    {
        if (model is null)
        {
            return ArmErrors.Invalid("A deployment needs a scoring script or a model.", code: "NothingToScore");
        }

        return (await codeless.Mlflow.ReadAsync(model.Blob, model.Title, ct)).TryGet(out var found, out var problem)
            ? new ChosenRuntime(found.Runtime, model.Target, [], ("ZAFFRE_MODEL_FOLDER", model.Target))
            {
                Model = found.Description,
                Explanation = [$"Runtime: {found.Runtime}, chosen by the flavors in MLmodel ({string.Join(", ", found.Document.Object("flavors")!.Select(f => f.Key))}); no code was given"],
            }
            : problem;
    }

    private static Dictionary<string, string> Variables(RealEnvironment environment, JsonObject document, ChosenRuntime runtime, Located? model)
    {
        var all = new Dictionary<string, string>(environment.Variables, StringComparer.Ordinal) { ["HOME"] = "/tmp", ["TMPDIR"] = "/tmp" };
        foreach (var (name, value) in document.Object("properties")?.Object("environmentVariables") ?? [])
        {
            all[name] = value.Text() ?? "";
        }

        if (model is not null)
        {
            all["AZUREML_MODEL_DIR"] = model.Folder;
        }

        all["AML_APP_ROOT"] = runtime.Root;
        all[runtime.Entry.Name] = runtime.Entry.Value;
        all["ZAFFRE_WORKER_FOLDER"] = SocketFolder;
        all["ZAFFRE_WORKER_CONCURRENCY"] = RequestSettings.Of(document).MaxConcurrent.ToString();
        return all;
    }

    private async Task<Outcome<RealEnvironment>> EnvironmentAsync(WorkspaceRef workspace, JsonObject properties, BlobAddress? code, CancellationToken ct)
    {
        JsonObject? document = null;
        if (properties.Text("environmentId") is { Length: > 0 } reference)
        {
            if (!(await assets.ResolveAsync(workspace, AssetType.Environment, reference, ct)).TryGet(out var asset, out var unknown))
            {
                return unknown;
            }

            document = asset.Properties;
        }

        if (code is { } folder && !(await extra.AddAsync(document, properties.Object("environmentVariables") ?? [], folder, ct)).TryGet(out document, out var problem))
        {
            return problem;
        }

        return await environments.ResolveAsync(new EnvironmentRequest { Document = document }, ct);
    }

    private async Task<Outcome<Located>> LocateAsync(WorkspaceRef workspace, AssetType type, string reference, string member, CancellationToken ct)
    {
        if (!(await assets.ResolveAsync(workspace, type, reference, ct)).TryGet(out var asset, out var problem))
        {
            return problem;
        }

        var uri = asset.Properties.Text(member) ?? "";
        if (!(await uris.ResolveAsync(workspace, uri, ct)).TryGet(out var place, out problem))
        {
            return problem;
        }

        if (place.Blob is not { } blob)
        {
            return ArmErrors.Unsupported($"a {type} outside the workspace's storage ({uri})");
        }

        var address = new BlobAddress(blob.Account, blob.Container, blob.Path);
        return blobs.TryGetLocalPath(address) is { } local
            ? new Located(asset, address, local)
            : ArmErrors.Invalid($"{type} {asset.Name}:{asset.Version} has no files at {uri}. Upload them and register it again.", code: "AssetFilesMissing");
    }

    /// <summary>What scores: its name, the folder it starts in, what it binds besides the model, and the variable that tells the worker of it.</summary>
    private sealed record ChosenRuntime(string Name, string Root, IReadOnlyList<TaskBind> Binds, (string Name, string Value) Entry)
    {
        public string? Model { get; init; }

        /// <summary>The folder of the code, when there is one.</summary>
        public BlobAddress? Code { get; init; }

        public required IReadOnlyList<string> Explanation { get; init; }
    }

    /// <summary>An asset's files on this host, and where an instance sees them when it is a model.</summary>
    private sealed record Located(AssetVersion Asset, BlobAddress Blob, string Local)
    {
        public ModelFiles Files => new(Asset.Name, Asset.Version, Asset.Properties.Text("modelType"), Blob);

        public string Title => $"{Asset.Name}:{Asset.Version}";

        /// <summary>The folder below which instances see models.</summary>
        public string Root { get; init; } = ModelRoot;

        public string Folder => $"{Root}/{Asset.Name}/{Asset.Version}";

        public string Target => $"{Folder}/{Blob.Name[(Blob.Name.LastIndexOf('/') + 1)..]}";
    }
}
