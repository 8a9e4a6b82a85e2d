using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Endpoints.Runtime;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Endpoints.Online;

/// <summary>Everything that is checked before a deployment is accepted; all problems at once.</summary>
internal sealed class DeploymentValidation(IAssets assets, IUriResolver uris, OnnxModels onnx)
{
    private const int MostInstances = 64;

    /// <summary>Folders of an instance that a model cannot lie in: they are the system's.</summary>
    private static readonly string[] SystemFolders = ["bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run", "sbin", "sys", "usr"];

    public async Task<Problem?> CheckAsync(WorkspaceRef workspace, JsonObject body, CancellationToken ct)
    {
        var reader = new DocumentReader(body);
        CheckKind(reader);
        CheckScale(reader, body);
        RequestSettings.Read(reader);
        Probes.Check(reader);
        reader.Texts("environmentVariables");
        reader.Texts("properties");
        reader.Text("instanceType");
        CheckMountPath(reader);

        if (reader.Properties["dataCollector"] is JsonObject collector && collector.Object("collections") is { } collections
            && collections.Any(c => c.Value is JsonObject one && "Enabled".Equals(one.Text("dataCollectionMode"), StringComparison.OrdinalIgnoreCase)))
        {
            reader.Unsupported("properties.dataCollector", "collecting model inputs and outputs");
        }

        await CheckReferencesAsync(reader, workspace, ct);
        return reader.Combined;
    }

    private static void CheckMountPath(DocumentReader reader)
    {
        if (reader.Text("modelMountPath") is not { } path)
        {
            return;
        }

        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (!path.StartsWith('/') || parts.Length == 0 || parts.Any(p => p is "." or ".." || p.Contains('\0', StringComparison.Ordinal)) || SystemFolders.Contains(parts[0], StringComparer.Ordinal))
        {
            reader.Invalid("properties.modelMountPath", $"'modelMountPath' must be an absolute path of a folder outside of the system's ({string.Join(", ", SystemFolders.Select(f => "/" + f))}).");
        }
    }

    private static void CheckKind(DocumentReader reader)
    {
        if ("Kubernetes".Equals(reader.Properties.Text("endpointComputeType"), StringComparison.OrdinalIgnoreCase))
        {
            reader.Unsupported("properties.endpointComputeType", "Kubernetes online deployments (use Managed)");
            return;
        }

        reader.OneOf("endpointComputeType", true, "Managed");
    }

    private static void CheckScale(DocumentReader reader, JsonObject body)
    {
        if (reader.Properties["scaleSettings"] is JsonObject scale)
        {
            var type = scale.Text("scaleType");
            if ("TargetUtilization".Equals(type, StringComparison.OrdinalIgnoreCase))
            {
                reader.Unsupported("properties.scaleSettings", "scaling by target utilization (use instance_count)");
            }
            else if (!"Default".Equals(type, StringComparison.OrdinalIgnoreCase))
            {
                reader.Invalid("properties.scaleSettings.scaleType", "'scaleType' must be Default.");
            }
        }

        if (body["sku"] is { } sku && !(sku is JsonObject named && named["capacity"] is null or JsonValue && CapacityOf(body) is >= 1 and <= MostInstances))
        {
            reader.Invalid("sku.capacity", $"'sku.capacity' (instance_count) must be a whole number from 1 to {MostInstances}.");
        }
    }

    /// <summary>Instances; 0 when the member is there and no number.</summary>
    public static int CapacityOf(JsonObject document) => document["sku"] is not JsonObject sku || sku["capacity"] is not { } capacity
        ? 1
        : capacity is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;

    private async Task CheckReferencesAsync(DocumentReader reader, WorkspaceRef workspace, CancellationToken ct)
    {
        var model = await CheckAssetAsync(reader, workspace, AssetType.Model, "model", reader.Text("model"), ct);
        if (await CheckAssetAsync(reader, workspace, AssetType.Environment, "environmentId", reader.Text("environmentId"), ct) is { } environment && environment.Properties["build"] is not null)
        {
            reader.Unsupported("properties.environmentId", $"environments that are built from a Docker context ({environment.Name}:{environment.Version})");
        }

        switch (reader.Properties["codeConfiguration"])
        {
            case null when reader.Properties["model"] is not null:
                if (model is not null)
                {
                    await CheckModelAsync(reader, workspace, model, ct);
                }

                break;
            case null:
                reader.Invalid("properties.codeConfiguration", "A deployment needs 'codeConfiguration' with 'codeId' and 'scoringScript'.");
                break;
            case JsonObject code:
                if (code.Text("scoringScript") is not { Length: > 0 } script)
                {
                    reader.Invalid("properties.codeConfiguration.scoringScript", "'scoringScript' is required.");
                }
                else if (Path.IsPathRooted(script) || script.Split('/', '\\').Contains("..", StringComparer.Ordinal) || !script.EndsWith(".py", StringComparison.Ordinal))
                {
                    reader.Invalid("properties.codeConfiguration.scoringScript", $"'{script}' is not the relative path of a Python file in the code folder.");
                }

                if (code.Text("codeId") is { Length: > 0 } id)
                {
                    await CheckAssetAsync(reader, workspace, AssetType.Code, "codeConfiguration.codeId", id, ct);
                }
                else
                {
                    reader.Invalid("properties.codeConfiguration.codeId", "'codeId' is required.");
                }

                break;
            default:
                reader.Invalid("properties.codeConfiguration", "'properties.codeConfiguration' must be an object.");
                break;
        }
    }

    // A model without code is served when it is an MLflow model or ONNX. What its files hold is found out when it is deployed.
    private async Task CheckModelAsync(DocumentReader reader, WorkspaceRef workspace, AssetVersion model, CancellationToken ct)
    {
        var type = model.Properties.Text("modelType") ?? "custom_model";
        if (type == "mlflow_model" || !(await uris.ResolveAsync(workspace, model.Properties.Text("modelUri") ?? "", ct)).TryGet(out var place, out _) || place.Blob is not { } blob)
        {
            return;
        }

        var files = new ModelFiles(model.Name, model.Version, type, new BlobAddress(blob.Account, blob.Container, blob.Path));
        if (!(await onnx.FindAsync(files, reader.Properties["environmentVariables"] as JsonObject ?? [], ct)).TryGet(out var found, out var problem))
        {
            reader.Add(problem);
        }
        else if (found is null)
        {
            reader.Unsupported("properties.codeConfiguration", $"a deployment without code of a {type} that is no ONNX model (give code_configuration with a scoring script, or register the model as mlflow_model, or as a folder with model.onnx)");
        }
        else if (OnnxRuntimeLibrary.Missing is { } missing)
        {
            reader.Unsupported("properties.model", $"scoring ONNX models: {missing}");
        }
    }

    private async Task<AssetVersion?> CheckAssetAsync(DocumentReader reader, WorkspaceRef workspace, AssetType type, string member, string? reference, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(reference))
        {
            return null;
        }

        if ((await assets.ResolveAsync(workspace, type, reference, ct)).TryGet(out var found, out var problem))
        {
            return found;
        }

        // An unknown asset inside a body is a fault of the body, not a missing route.
        reader.Add(problem with { Kind = problem.Kind == ProblemKind.NotFound ? ProblemKind.Invalid : problem.Kind, Target = $"properties.{member}" });
        return null;
    }
}
