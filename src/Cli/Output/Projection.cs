using System.Text.Json;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Cli;

/// <summary>
/// The form in which <c>az ml</c> prints a resource: properties at the top, snake_case names, ids of workspace resources as
/// <c>azureml:name:version</c>, systemData as creation_context. Keys that users chose (tags, inputs, variables) stay as they are.
/// </summary>
internal static class Projection
{
    private static readonly HashSet<string> UserKeys = ["tags", "inputs", "outputs", "properties", "environmentVariables", "services", "traffic", "mirrorTraffic", "flavors"];
    private static readonly Dictionary<string, string> Renamed = new(StringComparer.Ordinal)
    {
        ["computeId"] = "compute", ["environmentId"] = "environment", ["codeId"] = "code", ["jobType"] = "type", ["modelType"] = "type", ["dataType"] = "type",
        ["modelUri"] = "path", ["dataUri"] = "path", ["jobInputType"] = "type", ["jobOutputType"] = "type", ["uri"] = "path",
    };

    public static JsonObject Of(JsonObject resource)
    {
        var result = new JsonObject { ["id"] = resource.Text("id"), ["name"] = NameOf(resource) };
        if (resource.Text("id")?.Split('/') is [.., "versions", var version])
        {
            result["version"] = version;
        }

        foreach (var (name, value) in resource.Object("properties") ?? [])
        {
            Add(result, name, value);
        }

        foreach (var (name, value) in resource.Where(pair => pair.Key is not ("id" or "name" or "type" or "properties" or "systemData")))
        {
            Add(result, name, value);
        }

        if (resource.Object("systemData") is { } data)
        {
            result["creation_context"] = Fields(data);
        }

        return result;
    }

    private static string? NameOf(JsonObject resource) => resource.Text("id")?.Split('/') is [.., var container, "versions", _] ? container : resource.Text("name");

    private static void Add(JsonObject target, string name, JsonNode? value)
    {
        if (value is null)
        {
            return;
        }

        var key = Renamed.GetValueOrDefault(name, JsonNamingPolicy.SnakeCaseLower.ConvertName(name));
        target[key] = value switch
        {
            JsonObject map when UserKeys.Contains(name) => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, pair.Value is JsonObject inner ? Fields(inner) : pair.Value?.DeepClone()))),
            JsonObject map => Fields(map),
            JsonValue when name == "jobType" => value.Text()!.ToLowerInvariant(),
            JsonValue when name.EndsWith("Id", StringComparison.Ordinal) || name == "model" => Short(value.Text()!),
            _ => value.DeepClone(),
        };
    }

    private static JsonObject Fields(JsonObject map)
    {
        var result = new JsonObject();
        foreach (var (name, value) in map)
        {
            Add(result, name, value);
        }

        return result;
    }

    private static string Short(string id) => id.Split('/') switch
    {
        [.., "workspaces", _, _, var name, "versions", var version] => $"azureml:{name}:{version}",
        [.., "workspaces", _, _, var name] => $"azureml:{name}",
        _ => id,
    };
}
