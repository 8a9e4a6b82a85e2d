using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>The rules of asset bodies; every problem is found at once, each with its path.</summary>
internal sealed class AssetBody
{
    private static readonly string[] DataTypes = ["uri_file", "uri_folder", "mltable"];
    private static readonly string[] ModelTypes = ["custom_model", "mlflow_model", "triton_model"];
    private static readonly string[] CommandMembers = ["name", "type", "command", "environment"];
    private static readonly string[] PipelineMembers = ["name", "type"];
    private readonly List<Problem> problems = [];
    private readonly JsonObject properties;

    private AssetBody(JsonObject properties) => this.properties = properties;

    /// <summary>Problems of a version's body; canonical casing of enumerations is written back into it.</summary>
    public static List<Problem> OfVersion(AssetType type, JsonObject body)
    {
        if (body["properties"] is not JsonObject properties)
        {
            return [ArmErrors.Invalid("'properties' is required and must be an object.", "properties")];
        }

        var rules = new AssetBody(properties);
        rules.Common();
        switch (type)
        {
            case AssetType.Data:
                rules.OneOf("dataType", DataTypes, required: true);
                rules.Text("dataUri", required: true);
                break;
            case AssetType.Model:
                rules.OneOf("modelType", ModelTypes, required: false);
                rules.Text("modelUri", required: true);
                rules.Kind("flavors", JsonValueKind.Object);
                break;
            case AssetType.Environment:
                rules.Environment();
                break;
            case AssetType.Code:
                rules.Text("codeUri", required: true);
                break;
            default:
                rules.Component();
                break;
        }

        return rules.problems;
    }

    /// <summary>Problems of a container's body.</summary>
    public static List<Problem> OfContainer(JsonObject body)
    {
        if (body["properties"] is not JsonObject properties)
        {
            return [ArmErrors.Invalid("'properties' is required and must be an object.", "properties")];
        }

        var rules = new AssetBody(properties);
        rules.Common();
        return rules.problems;
    }

    private void Common()
    {
        Text("description", required: false);
        Kind("isArchived", JsonValueKind.True);
        Kind("isAnonymous", JsonValueKind.True);
        foreach (var member in (ReadOnlySpan<string>)["tags", "properties"])
        {
            if (properties[member] is JsonObject map)
            {
                foreach (var (key, value) in map)
                {
                    if (value is not (null or JsonValue))
                    {
                        Add($"{member}.{key}", "must be a string");
                    }
                }
            }
            else
            {
                Kind(member, JsonValueKind.Object);
            }
        }
    }

    private void Environment()
    {
        var image = Text("image", required: false);
        var conda = Text("condaFile", required: false);
        if (properties["build"] is not null)
        {
            Build();
        }
        else if (properties["image"] is null && properties["condaFile"] is null)
        {
            Add("image", "or 'properties.condaFile' is required");
        }

        if (OneOf("osType", ["Linux", "Windows"], required: false) == "Windows")
        {
            problems.Add(ArmErrors.Unsupported("Windows environments", "properties.osType"));
        }

        Kind("inferenceConfig", JsonValueKind.Object);
        if (conda is not null && CondaProblem(conda) is { } reason)
        {
            Add("condaFile", reason);
        }

        if (image is not null && (image.Length == 0 || image.Any(char.IsWhiteSpace)))
        {
            Add("image", "must name an image");
        }
    }

    // Kept only: an environment with a build context is registered, and refused by name where a job or deployment would use it.
    private void Build()
    {
        const string uri = "build.contextUri";
        if (properties["image"] is not null)
        {
            Add("build", "and 'properties.image' exclude each other");
        }

        if (properties["build"] is not JsonObject build || build.Text("contextUri") is not { Length: > 0 } context)
        {
            Add(uri, "is required and must be a string");
            return;
        }

        if (build["dockerfilePath"] is { } path && path.GetValueKind() != JsonValueKind.String)
        {
            Add("build.dockerfilePath", $"must be a string; it is {path.GetValueKind()}");
        }

        if (YamlReferences.IsLocal(context))
        {
            problems.Add(new Problem(ProblemKind.Unsupported, "OperationNotSupported", $"The build context '{UriPath.Shown(context)}' is a folder of the client's machine that was not uploaded (azure-ai-ml 1.4 uploads none for environments): use a newer client, or name an azureml:// or https URI.")
            {
                Target = "properties." + uri,
            });
        }
        else if (ParsedUri.Parse(context).Problem is { } problem)
        {
            problems.Add(problem with { Target = "properties." + uri });
        }
    }

    private static string? CondaProblem(string text)
    {
        try
        {
            return YamlParser.Parse(text) switch
            {
                YamlTable table when table.Find("dependencies") is { Value: not YamlList } => "is not a conda file: 'dependencies' must be a list",
                YamlTable => null,
                _ => "is not a conda file: it must hold a map",
            };
        }
        catch (YamlFault fault)
        {
            return $"is not valid YAML: line {fault.Line}, column {fault.Column}: {fault.Message}";
        }
    }

    private void Component()
    {
        if (properties["componentSpec"] is not JsonObject spec)
        {
            Add("componentSpec", "is required and must be an object");
            return;
        }

        if (spec.Text("type") is { } type && type is not ("command" or "CommandComponent" or "pipeline"))
        {
            problems.Add(ArmErrors.Unsupported($"components of type '{type}'", "properties.componentSpec.type"));
            return;
        }

        var pipeline = spec.Text("type") == "pipeline";
        if (pipeline && spec["jobs"] is not JsonObject { Count: > 0 })
        {
            Add("componentSpec.jobs", "is required and must be an object with at least one step");
        }

        foreach (var member in pipeline ? PipelineMembers : CommandMembers)
        {
            if (spec[member] is not { } value || (value.GetValueKind() != JsonValueKind.String && !(member == "environment" && value is JsonObject)))
            {
                Add($"componentSpec.{member}", "is required and must be a string");
            }
        }
    }

    private string? Text(string member, bool required)
    {
        var value = properties[member];
        if (value is null)
        {
            if (required)
            {
                Add(member, "is required");
            }

            return null;
        }

        if (value.GetValueKind() != JsonValueKind.String)
        {
            Add(member, $"must be a string; it is {value.GetValueKind()}");
            return null;
        }

        if (required && value.Text()!.Length == 0)
        {
            Add(member, "must not be empty");
        }

        return value.Text();
    }

    private string? OneOf(string member, string[] choices, bool required)
    {
        if (Text(member, required) is not { } text)
        {
            return null;
        }

        // Older clients write UriFolder for uri_folder.
        var found = choices.FirstOrDefault(c => c.Replace("_", "", StringComparison.Ordinal).Equals(text.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase));
        if (found is null)
        {
            Add(member, $"must be one of {string.Join(", ", choices)}; it is '{text}'");
            return null;
        }

        properties[member] = found;
        return found;
    }

    private void Kind(string member, JsonValueKind kind)
    {
        if (properties[member] is { } value && value.GetValueKind() != kind && !(kind == JsonValueKind.True && value.GetValueKind() == JsonValueKind.False))
        {
            Add(member, $"must be {(kind == JsonValueKind.True ? "true or false" : "an object")}; it is {value.GetValueKind()}");
        }
    }

    private void Add(string member, string reason) => problems.Add(ArmErrors.Invalid($"'properties.{member}' {reason}.", "properties." + member));
}
