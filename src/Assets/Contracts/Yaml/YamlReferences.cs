using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Assets;

/// <summary>
/// The references that jobs and deployments share. Each reads a key, adds the requests and uploads that it needs, reports what is
/// wrong at its place, and answers the text for the REST body, or null when there is none (absent, wrong, or a file is missing still).
/// </summary>
public static class YamlReferences
{
    /// <summary>True for a path of the client's disk: no scheme, no <c>azureml:</c>, no <c>git+</c>.</summary>
    public static bool IsLocal(string path) => YamlPaths.IsLocal(path);

    /// <summary>An environment: a reference, <c>file:env.yml</c>, or an inline map. Curated (<c>azureml:AzureML-..</c>) and registry ones are passed on as they are.</summary>
    public static async ValueTask<string?> EnvironmentAsync(this YamlReading reading, YamlMap at, string key, CancellationToken ct)
    {
        if (at.ShapeOf(key) is YamlShape.Map)
        {
            return at.Map(key) is { } inline ? EnvironmentYaml.Add(reading, inline) : null;
        }

        if (at.Text(key) is not { } text)
        {
            return null;
        }

        if (text.StartsWith("file:", StringComparison.OrdinalIgnoreCase) || YamlPaths.LooksLikeYaml(text))
        {
            return reading.File(at, key, text) is { } file ? EnvironmentYaml.AddFile(reading, file) : null;
        }

        return text.StartsWith("azureml:AzureML-", StringComparison.OrdinalIgnoreCase) || text.StartsWith("azureml://registries/", StringComparison.OrdinalIgnoreCase)
            ? text
            : await AssetIdAsync(reading, at, key, text, AssetType.Environment, ct);
    }

    /// <summary>Code: a reference, or a local folder or file, which becomes a code asset named by its content.</summary>
    public static async ValueTask<string?> CodeAsync(this YamlReading reading, YamlMap at, string key, CancellationToken ct) => at.Text(key) switch
    {
        null => null,
        var text when IsLocal(text) => CodeYaml.Add(reading, reading.Upload(at, key, text, UploadKind.Any)),
        var text => await CodeAssetAsync(reading, at, key, text, ct),
    };

    /// <summary>As <see cref="CodeAsync"/>, for the <c>code</c> of a component, with its <c>additional_includes</c>, or of a step, which has none.</summary>
    public static async ValueTask<string?> ComponentCodeAsync(this YamlReading reading, YamlMap at, bool withIncludes, CancellationToken ct)
    {
        const string key = "code";
        var includes = withIncludes ? CodeYaml.ReadIncludes(at) : null;
        if (at.Text(key) is not { } text)
        {
            return includes is null ? null : CodeYaml.Add(reading, reading.UploadCode(at, null, includes));
        }

        if (IsLocal(text))
        {
            return CodeYaml.Add(reading, reading.UploadCode(at, text, includes));
        }

        if (includes is not null)
        {
            at.Error("additional_includes", "'additional_includes' go beside local code; this code is an asset");
        }

        return await CodeAssetAsync(reading, at, key, text, ct);
    }

    private static async ValueTask<string?> CodeAssetAsync(YamlReading reading, YamlMap at, string key, string text, CancellationToken ct)
    {
        if (text.StartsWith("git+", StringComparison.OrdinalIgnoreCase))
        {
            at.Unsupported(key, "Code from a git URL is not supported; clone it and name the folder.");
            return null;
        }

        return await AssetIdAsync(reading, at, key, text, AssetType.Code, ct);
    }

    /// <summary>A model: a reference, or an inline map with <c>path</c>, which becomes a model version named by itself or by its content.</summary>
    public static async ValueTask<string?> ModelAsync(this YamlReading reading, YamlMap at, string key, CancellationToken ct)
    {
        if (at.ShapeOf(key) is YamlShape.Map)
        {
            return at.Map(key) is { } inline ? ModelYaml.AddInline(reading, inline) : null;
        }

        if (at.Text(key) is not { } text)
        {
            return null;
        }

        if (text.StartsWith("file:", StringComparison.OrdinalIgnoreCase) || YamlPaths.LooksLikeYaml(text))
        {
            return reading.File(at, key, text) is { } file ? ModelYaml.AddInline(reading, file) : null;
        }

        return await AssetIdAsync(reading, at, key, text, AssetType.Model, ct);
    }

    /// <summary>
    /// The URI of a data or model input under <paramref name="key"/>: local paths are uploaded, <c>azureml:n:v</c> becomes the asset's id,
    /// other URIs pass. <paramref name="type"/> is the YAML type (<c>uri_file</c>, <c>uri_folder</c>, <c>mltable</c>, <c>custom_model</c>, ...).
    /// </summary>
    public static async ValueTask<string?> DataUriAsync(this YamlReading reading, YamlMap at, string key, string type, CancellationToken ct)
    {
        if (at.Text(key) is not { } text)
        {
            return null;
        }

        if (IsLocal(text))
        {
            var kind = type switch { "uri_file" => UploadKind.File, "custom_model" => UploadKind.Any, _ => UploadKind.Folder };
            return reading.Upload(at, key, text, kind).Uri;
        }

        if (!text.StartsWith("azureml:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("azureml://", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        return await AssetIdAsync(reading, at, key, text, type.EndsWith("_model", StringComparison.Ordinal) ? AssetType.Model : AssetType.Data, ct);
    }

    private static async ValueTask<string?> AssetIdAsync(YamlReading reading, YamlMap at, string key, string reference, AssetType type, CancellationToken ct)
    {
        var found = await reading.Assets.ResolveAsync(reading.Workspace, type, reference, ct);
        if (found.TryGet(out var asset, out var problem))
        {
            return asset.Id.Value;
        }

        if (problem.Kind == ProblemKind.Unsupported)
        {
            at.Unsupported(key, problem.Message);
        }
        else
        {
            at.Error(key, problem.Message);
        }

        return null;
    }
}
