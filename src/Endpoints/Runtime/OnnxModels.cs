using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Gateway;
using Zaffre.Kernel;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Endpoints.Runtime;

/// <summary>ONNX models of a registered model: where they lie and how they are to be scored. The folder of the route is filled in when they are copied.</summary>
internal sealed record OnnxSource(BlobAddress Files, bool IsFile, OnnxRoute Route)
{
    /// <summary>How the deployment states its runtime.</summary>
    public string Runtime => Route.File is null ? "triton" : Route.MlflowVersion is null ? "onnx" : "mlflow/onnx";
}

/// <summary>What models are served without code.</summary>
internal sealed record CodelessModels(MlflowModels Mlflow, OnnxModels Onnx);

/// <summary>Finds out whether a model can be scored by the gateway: an ONNX file, a Triton-style repository, or an MLflow model of the onnx flavor.</summary>
internal sealed class OnnxModels(IBlobStore blobs, MlflowModels mlflow)
{
    private const string Standard = "model.onnx";
    private const int MostThreads = 64;
    private const int MostRows = 65_536;
    private const int MostDelay = 1_000_000;
    private static readonly string[] Known = ["ZAFFRE_ONNX_RUNTIME", "ZAFFRE_ONNX_THREADS", "ZAFFRE_ONNX_BATCH_ROWS", "ZAFFRE_ONNX_BATCH_DELAY_US"];

    /// <summary>The ONNX models, or null when the model is of another kind.</summary>
    public async Task<Outcome<OnnxSource?>> FindAsync(ModelFiles model, JsonObject variables, CancellationToken ct)
    {
        if (variables.Text("ZAFFRE_ONNX_RUNTIME") is not (null or "gateway" or "worker"))
        {
            return ArmErrors.Invalid("'ZAFFRE_ONNX_RUNTIME' must be gateway or worker.", "properties.environmentVariables.ZAFFRE_ONNX_RUNTIME");
        }

        if (variables.Select(v => v.Key).FirstOrDefault(n => n.StartsWith("ZAFFRE_ONNX_", StringComparison.Ordinal) && !Known.Contains(n, StringComparer.Ordinal)) is { } unknown)
        {
            return ArmErrors.Unsupported($"'{unknown}' (of ONNX deployments there are {string.Join(", ", Known)})", $"properties.environmentVariables.{unknown}");
        }

        Problem? problem = null;
        var route = new OnnxRoute("")
        {
            Model = model.Name,
            Version = Version(model.Version),
            Threads = Number(variables, "ZAFFRE_ONNX_THREADS", (1, 1, MostThreads), ref problem),
            BatchRows = Number(variables, "ZAFFRE_ONNX_BATCH_ROWS", (1, 1, MostRows), ref problem),
            BatchDelayMicroseconds = Number(variables, "ZAFFRE_ONNX_BATCH_DELAY_US", (0, 0, MostDelay), ref problem),
        };
        if (problem is not null)
        {
            return problem;
        }

        return model.Type switch
        {
            "mlflow_model" => await OfMlflowAsync(model, route, variables, ct),
            _ when variables.Text("ZAFFRE_ONNX_RUNTIME") == "worker" => ArmErrors.Unsupported("scoring a model without code in a worker that is no MLflow model (give code_configuration with a scoring script)", "properties.environmentVariables.ZAFFRE_ONNX_RUNTIME"),
            "triton_model" => new OnnxSource(model.Blob, false, route),
            _ => await FileAsync(model, ct) is { } file ? new OnnxSource(model.Blob, file.IsFile, route with { File = file.Name }) : (OnnxSource?)null,
        };
    }

    private static int Number(JsonObject variables, string name, (int Standard, int Least, int Most) limits, ref Problem? problem)
    {
        if (variables.Text(name) is not { } text)
        {
            return limits.Standard;
        }

        if (int.TryParse(text, out var number) && number >= limits.Least && number <= limits.Most)
        {
            return number;
        }

        problem = ArmErrors.Invalid($"'{name}' must be a whole number from {limits.Least} to {limits.Most}.", $"properties.environmentVariables.{name}");
        return limits.Standard;
    }

    // The protocol's versions are numbers; a version that is none is the first.
    private static string Version(string version) => long.TryParse(version, out var number) && number > 0 ? version : "1";

    private async Task<Outcome<OnnxSource?>> OfMlflowAsync(ModelFiles model, OnnxRoute route, JsonObject variables, CancellationToken ct)
    {
        if (!(await mlflow.ReadAsync(model.Blob, $"{model.Name}:{model.Version}", ct)).TryGet(out var found, out var problem))
        {
            return problem;
        }

        if (found.Flavor != "onnx" || variables.Text("ZAFFRE_ONNX_RUNTIME") == "worker" || OnnxRuntimeLibrary.Missing is not null)
        {
            return (OnnxSource?)null;
        }

        return new OnnxSource(model.Blob, false, route with
        {
            File = found.Document.Object("flavors")?.Object("onnx")?.Text("data") ?? Standard,
            MlflowVersion = found.Document.Text("mlflow_version") ?? "unknown",
            Columns = Columns(found.Document.Object("signature")?.Text("inputs")),
        });
    }

    // Columns of a signature are the places of the one input; tensors are inputs by their own names.
    private static IReadOnlyList<string> Columns(string? inputs)
    {
        try
        {
            return inputs is not null && JsonNode.Parse(inputs) is JsonArray specs && specs.All(s => s is JsonObject one && one.Text("type") != "tensor" && one.Text("name") is not null)
                ? [.. specs.Select(s => ((JsonObject)s!).Text("name")!)]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private async Task<(string Name, bool IsFile)?> FileAsync(ModelFiles model, CancellationToken ct)
    {
        if (model.Blob.Name.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && await blobs.FindAsync(model.Blob, ct) is not null)
        {
            return (model.Blob.Name[(model.Blob.Name.LastIndexOf('/') + 1)..], true);
        }

        if (await blobs.FindAsync(model.Blob.Child(Standard), ct) is not null)
        {
            return (Standard, false);
        }

        var prefix = model.Blob.Child("");
        var page = await blobs.ListAsync(prefix, 1000, null, ct);
        List<string> found = [.. page.Items.Select(b => b.Name[prefix.Name.Length..]).Where(n => !n.Contains('/', StringComparison.Ordinal) && n.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))];
        return found.Count == 1 ? (found[0], false) : null;
    }
}

/// <summary>A registered model and its files in the workspace's storage.</summary>
internal sealed record ModelFiles(string Name, string Version, string? Type, BlobAddress Blob);
