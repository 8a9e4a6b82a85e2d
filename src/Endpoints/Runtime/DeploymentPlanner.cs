using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Compute;
using Zaffre.Endpoints.Online;
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

    /// <summary>What was chosen and why, for the preparation log.</summary>
    public required IReadOnlyList<string> Explanation { get; init; }
}

/// <summary>Resolves a deployment's model, code and environment to paths of this host.</summary>
internal sealed class DeploymentPlanner(IAssets assets, IUriResolver uris, IBlobStore blobs, IEnvironments environments)
{
    /// <summary>Where the worker finds its code, its model and its sockets.</summary>
    public const string CodeFolder = "/var/azureml-app/code";
    public const string ModelRoot = "/var/azureml-app/azureml-models";
    public const string SocketFolder = "/var/azureml-app/.zaffre";

    public async Task<Outcome<DeploymentPlan>> PlanAsync(WorkspaceRef workspace, JsonObject document, CancellationToken ct)
    {
        var properties = document.Object("properties") ?? [];
        var code = properties.Object("codeConfiguration") ?? [];
        var explanation = new List<string>();
        if (!(await LocateAsync(workspace, AssetType.Code, code.Text("codeId") ?? "", "codeUri", ct)).TryGet(out var codeAsset, out var problem))
        {
            return problem;
        }

        explanation.Add($"Code {codeAsset.Asset.Name}:{codeAsset.Asset.Version}");
        var binds = new List<TaskBind> { new(codeAsset.Local, CodeFolder) };
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        if (properties.Text("model") is { Length: > 0 } reference)
        {
            if (!(await LocateAsync(workspace, AssetType.Model, reference, "modelUri", ct)).TryGet(out var model, out problem))
            {
                return problem;
            }

            var folder = $"{ModelRoot}/{model.Asset.Name}/{model.Asset.Version}";
            binds.Add(new TaskBind(model.Local, $"{folder}/{model.LastSegment}"));
            variables["AZUREML_MODEL_DIR"] = folder;
            explanation.Add($"Model {model.Asset.Name}:{model.Asset.Version} at {folder}/{model.LastSegment}");
        }

        if (!(await EnvironmentAsync(workspace, properties.Text("environmentId"), ct)).TryGet(out var environment, out problem))
        {
            return problem;
        }

        explanation.AddRange(environment.Explanation);
        binds.AddRange(environment.Binds);
        var python = PythonRuntime.Path;
        if (!binds.Any(b => b.Target == python))
        {
            binds.Add(new TaskBind(python, python));
        }

        return new DeploymentPlan
        {
            Command = [environment.Interpreter, System.IO.Path.Combine(python, "serving", "worker.py")],
            Binds = binds,
            Variables = Variables(environment, properties, code, variables, document),
            Explanation = explanation,
        };
    }

    private static Dictionary<string, string> Variables(
        RealEnvironment environment, JsonObject properties, JsonObject code, Dictionary<string, string> model, JsonObject document)
    {
        var all = new Dictionary<string, string>(environment.Variables, StringComparer.Ordinal) { ["HOME"] = "/tmp", ["TMPDIR"] = "/tmp" };
        foreach (var (name, value) in properties.Object("environmentVariables") ?? [])
        {
            all[name] = value.Text() ?? "";
        }

        foreach (var (name, value) in model)
        {
            all[name] = value;
        }

        all["AML_APP_ROOT"] = CodeFolder;
        all["AZUREML_ENTRY_SCRIPT"] = code.Text("scoringScript") ?? "score.py";
        all["ZAFFRE_WORKER_FOLDER"] = SocketFolder;
        all["ZAFFRE_WORKER_CONCURRENCY"] = RequestSettings.Of(document).MaxConcurrent.ToString();
        return all;
    }

    private async Task<Outcome<RealEnvironment>> EnvironmentAsync(WorkspaceRef workspace, string? reference, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(reference))
        {
            return await environments.ResolveAsync(null, ct);
        }

        return (await assets.ResolveAsync(workspace, AssetType.Environment, reference, ct)).TryGet(out var asset, out var problem)
            ? await environments.ResolveAsync(asset.Properties, ct)
            : problem;
    }

    private async Task<Outcome<(AssetVersion Asset, string Local, string LastSegment)>> LocateAsync(
        WorkspaceRef workspace, AssetType type, string reference, string member, CancellationToken ct)
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

        return blobs.TryGetLocalPath(new BlobAddress(blob.Account, blob.Container, blob.Path)) is { } local
            ? (asset, local, blob.Path[(blob.Path.LastIndexOf('/') + 1)..])
            : ArmErrors.Invalid($"{type} {asset.Name}:{asset.Version} has no files at {uri}. Upload them and register it again.", code: "AssetFilesMissing");
    }
}
