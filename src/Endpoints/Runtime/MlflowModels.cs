using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;
using Zaffre.Storage;

namespace Zaffre.Endpoints.Runtime;

/// <summary>An MLflow model as its MLmodel file says, and the flavor that will be loaded.</summary>
internal sealed record MlflowModel(string Flavor, JsonObject Document)
{
    /// <summary>How the deployment states its runtime.</summary>
    public string Runtime => $"mlflow/{Flavor}";

    /// <summary>What the scoring process is told: it needs no YAML reader of its own.</summary>
    public string Description => new JsonObject { ["flavor"] = Flavor, ["model"] = Document.DeepClone() }.ToJsonString();
}

/// <summary>Reads the MLmodel file of a registered model and chooses the flavor that scores.</summary>
internal sealed class MlflowModels(IBlobStore blobs)
{
    private const int MostBytes = 4 << 20;

    // The first that the model has is taken; python_function, which every model has, only when no plain loader fits.
    private static readonly string[] Flavors = ["sklearn", "xgboost", "lightgbm", "pytorch", "onnx", "python_function"];

    public async Task<Outcome<MlflowModel>> ReadAsync(BlobAddress folder, string name, CancellationToken ct)
    {
        await using var stream = await blobs.OpenReadAsync(folder.Child("MLmodel"), ct);
        if (stream is null)
        {
            return Problem("ModelFilesMissing", $"Model {name} is an mlflow_model, and its folder has no file MLmodel at the root. Register the folder that holds MLmodel.");
        }

        if (stream.Length > MostBytes)
        {
            return Problem("InvalidModel", $"MLmodel of model {name} is larger than {MostBytes >> 20} MiB.");
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return YamlJson.Read(await reader.ReadToEndAsync(ct), $"MLmodel of model {name}").TryGet(out var document, out var problem)
            ? Choose(document, name)
            : problem;
    }

    private static Outcome<MlflowModel> Choose(JsonObject document, string name)
    {
        var flavors = document.Object("flavors") ?? [];
        return Flavors.FirstOrDefault(flavors.ContainsKey) is { } flavor
            ? new MlflowModel(flavor, document)
            : Problem("ModelFlavorNotSupported", $"Model {name} has the flavors {(flavors.Count == 0 ? "(none)" : string.Join(", ", flavors.Select(f => f.Key)))}; one of {string.Join(", ", Flavors)} is needed.");
    }

    private static Problem Problem(string code, string message) => new(ProblemKind.Invalid, code, message);
}
