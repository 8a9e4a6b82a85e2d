using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;
using Zaffre.Storage;

namespace Zaffre.Endpoints.Runtime;

/// <summary>
/// Packages that a deployment adds to its environment: the files of the code folder that <c>AZUREML_EXTRA_REQUIREMENTS_TXT</c> and
/// <c>AZUREML_EXTRA_CONDA_YAML</c> name. They are declared together with the environment's own, so they are resolved before anything starts.
/// </summary>
internal sealed class ExtraPackages(IBlobStore blobs)
{
    private const string Requirements = "AZUREML_EXTRA_REQUIREMENTS_TXT";
    private const string Conda = "AZUREML_EXTRA_CONDA_YAML";
    private const int MostBytes = 1 << 20;

    /// <summary>The environment's document with the extra packages in its conda file; as it is when the deployment names none.</summary>
    public async Task<Outcome<JsonObject?>> AddAsync(JsonObject? environment, JsonObject variables, BlobAddress code, CancellationToken ct)
    {
        var (pip, conda) = (variables.Text(Requirements), variables.Text(Conda));
        if (string.IsNullOrEmpty(pip) && string.IsNullOrEmpty(conda))
        {
            return environment;
        }

        if (!Read(environment?.Text("condaFile"), "the environment's conda file").TryGet(out var declared, out var problem))
        {
            return problem;
        }

        if (!string.IsNullOrEmpty(conda))
        {
            if (!(await FileAsync(Conda, conda, code, ct)).TryGet(out var text, out problem) || !Read(text, conda).TryGet(out var more, out problem))
            {
                return problem;
            }

            foreach (var dependency in Dependencies(more))
            {
                Dependencies(declared).Add(dependency?.DeepClone());
            }
        }

        if (!string.IsNullOrEmpty(pip))
        {
            if (!(await FileAsync(Requirements, pip, code, ct)).TryGet(out var text, out problem))
            {
                return problem;
            }

            var lines = text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);
            Dependencies(declared).Add(new JsonObject { ["pip"] = new JsonArray([.. lines.Select(line => JsonValue.Create(line))]) });
        }

        // JSON is YAML: the document is read again where environments are resolved.
        var merged = (JsonObject?)environment?.DeepClone() ?? [];
        merged["condaFile"] = declared.ToJsonString();
        return merged;
    }

    private static Outcome<JsonObject> Read(string? yaml, string name) => string.IsNullOrWhiteSpace(yaml) ? new JsonObject() : YamlJson.Read(yaml, name);

    private static JsonArray Dependencies(JsonObject conda)
    {
        if (conda["dependencies"] is JsonArray present)
        {
            return present;
        }

        var made = new JsonArray();
        conda["dependencies"] = made;
        return made;
    }

    private async Task<Outcome<string>> FileAsync(string variable, string path, BlobAddress code, CancellationToken ct)
    {
        if (Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..", StringComparer.Ordinal))
        {
            return Wrong($"{variable} is '{path}'; it must be a path inside the code folder.");
        }

        await using var stream = await blobs.OpenReadAsync(code.Child(path), ct);
        if (stream is null || stream.Length > MostBytes)
        {
            return Wrong(stream is null ? $"{variable} names '{path}', which the code folder lacks." : $"{variable} names '{path}', which is larger than 1 MiB.");
        }

        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(ct);
    }

    private static Problem Wrong(string message) => new(ProblemKind.Invalid, "InvalidExtraPackages", message);
}
