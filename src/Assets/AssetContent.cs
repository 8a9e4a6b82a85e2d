using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Resources;
using Zaffre.Web;

namespace Zaffre.Assets;

/// <summary>What of a version can never change: putting other content on an existing version is a conflict; description, tags, properties and archived state may change.</summary>
internal static class AssetContent
{
    private const string Anonymous = "azureml_anonymous";

    private static readonly string[] OutsideOfHash = ["name", "id", "version"];

    public static string[] Immutable(AssetType type) => type switch
    {
        AssetType.Data => ["dataType", "dataUri"],
        AssetType.Model => ["modelType", "modelUri", "flavors"],
        AssetType.Environment => ["image", "condaFile", "build", "osType", "inferenceConfig"],
        AssetType.Code => ["codeUri"],
        AssetType.Component => ["componentSpec"],
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>The member that holds the place of the content, or null.</summary>
    public static string? UriMember(AssetType type) => type switch
    {
        AssetType.Data => "dataUri",
        AssetType.Model => "modelUri",
        AssetType.Code => "codeUri",
        _ => null,
    };

    /// <summary>Throws the conflict when <paramref name="properties"/> differ from the existing version in what cannot change.</summary>
    public static void RequireSame(AssetType type, Resource existing, JsonObject properties)
    {
        var anonymous = type == AssetType.Component && existing.Id.Parent.Name.Equals(Anonymous, StringComparison.OrdinalIgnoreCase);
        var changed = Immutable(type).Where(member => anonymous
            ? !SameHash(existing.Properties[member], properties[member])
            : !Same(member, existing.Properties[member], properties[member])).ToArray();
        if (changed.Length > 0)
        {
            var word = AssetTypes.Word(type);
            throw new ProblemException(ArmErrors.Conflict(
                $"A {word} version with this name and version already exists: '{existing.Id.Parent.Name}', version '{existing.Id.Name}'. "
                + $"Its {string.Join(", ", changed)} cannot be changed; use another version. Only description, tags, properties and isArchived can be updated.",
                "UserError") with
            {
                Target = "properties." + changed[0],
            });
        }
    }

    /// <summary>The version of an anonymous component is a hash that clients make without its name: under another name it is the same one.</summary>
    private static bool SameHash(JsonNode? before, JsonNode? after) => JsonNode.DeepEquals(Hashed(before), Hashed(after));

    private static JsonNode? Hashed(JsonNode? spec)
    {
        if (spec is not JsonObject map)
        {
            return spec;
        }

        var hashed = map.Copy();
        foreach (var name in OutsideOfHash)
        {
            hashed.Remove(name);
        }

        return hashed;
    }

    private static bool Same(string member, JsonNode? before, JsonNode? after) => member switch
    {
        "flavors" => JsonNode.DeepEquals(before ?? new JsonObject(), after ?? new JsonObject()),
        "osType" => string.Equals(before.Text() ?? "Linux", after.Text() ?? "Linux", StringComparison.OrdinalIgnoreCase),
        "build" => before is JsonObject known && after is JsonObject given
            ? known.Text("contextUri") == given.Text("contextUri") && (known.Text("dockerfilePath") ?? "Dockerfile") == (given.Text("dockerfilePath") ?? "Dockerfile")
            : JsonNode.DeepEquals(before, after),
        "dataUri" or "modelUri" or "codeUri" => string.Equals(before.Text()?.TrimEnd('/'), after.Text()?.TrimEnd('/'), StringComparison.Ordinal),
        _ => JsonNode.DeepEquals(before, after),
    };
}
