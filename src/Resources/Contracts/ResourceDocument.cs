using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Resources;

/// <summary>The answer form of a resource.</summary>
public static class ResourceDocument
{
    /// <summary>id, name, type, systemData and the stored members, as every ARM answer begins. A fresh object that may be changed.</summary>
    public static JsonObject Answer(Resource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        var answer = new JsonObject
        {
            ["id"] = resource.Id.Value,
            ["name"] = resource.Id.Name,
            ["type"] = resource.Id.Type,
        };
        foreach (var (name, value) in resource.Document)
        {
            if (name is not ("id" or "name" or "type" or "systemData"))
            {
                answer[name] = value?.DeepClone();
            }
        }

        answer["properties"] ??= new JsonObject();
        answer["systemData"] = SystemData(resource);
        return answer;
    }

    private static JsonObject SystemData(Resource resource) => new()
    {
        ["createdBy"] = resource.CreatedBy,
        ["createdByType"] = resource.CreatedByType,
        ["createdAt"] = Wire(resource.CreatedAt),
        ["lastModifiedBy"] = resource.LastModifiedBy,
        ["lastModifiedByType"] = resource.LastModifiedByType,
        ["lastModifiedAt"] = Wire(resource.LastModifiedAt),
    };

    /// <summary>A time as the wire writes it.</summary>
    public static string Wire(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ");

    /// <summary>
    /// Every required member that is missing or of another kind, as problems with their paths.
    /// </summary>
    public static IReadOnlyList<Problem> Missing(JsonObject body, IEnumerable<(string Path, System.Text.Json.JsonValueKind Kind)> required)
    {
        ArgumentNullException.ThrowIfNull(required);
        var problems = new List<Problem>();
        foreach (var (path, kind) in required)
        {
            JsonNode? node = body;
            foreach (var part in path.Split('.'))
            {
                node = (node as JsonObject)?[part];
            }

            if (node is null)
            {
                problems.Add(ArmErrors.Invalid($"'{path}' is required.", path));
            }
            else if (node.GetValueKind() != kind)
            {
                problems.Add(ArmErrors.Invalid($"'{path}' must be of JSON kind {kind}; it is {node.GetValueKind()}.", path));
            }
        }

        return problems;
    }
}
