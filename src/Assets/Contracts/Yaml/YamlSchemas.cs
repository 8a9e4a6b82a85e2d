using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Assets;

/// <summary>The schemas of azure-ai-ml (<c>spec/yaml-schemas.json</c>) for what is checked as the client checks it, and has no engine here. Thread safe.</summary>
public static class YamlSchemas
{
    private static readonly Lazy<JsonObject> Types = new(Load);

    /// <summary>Reports everything in <paramref name="map"/> that the schema does not allow, at its place; every key of it is a known one afterwards.</summary>
    /// <param name="map">The map to check.</param>
    /// <param name="schema">Name of the schema class, such as <c>SweepJobSchema</c>.</param>
    public static void CheckAgainst(this YamlMap map, string schema)
    {
        ArgumentNullException.ThrowIfNull(map);
        map.ToJson();
        map.Problems.AddRange(new SchemaCheck(Types.Value, map).Object(map.Table, map.Path, schema));
    }

    /// <summary>As <see cref="CheckAgainst(YamlMap, string)"/>, for a value that may be of any of several schemas, told apart by their <c>type</c>.</summary>
    public static void CheckAgainst(this YamlMap map, IReadOnlyList<string> schemas)
    {
        ArgumentNullException.ThrowIfNull(map);
        map.ToJson();
        map.Problems.AddRange(new SchemaCheck(Types.Value, map).AnyOf(map.Table, map.Path, schemas));
    }

    private static JsonObject Load()
    {
        using var stream = typeof(YamlSchemas).Assembly.GetManifestResourceStream("yaml-schemas.json")!;
        return JsonNode.Parse(stream)!.AsObject().Object("types")!;
    }
}
