using System.Globalization;
using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Assets.Yaml;

/// <summary>Holds parsed nodes against the schema classes of the client library. <paramref name="map"/> says in which file they stand.</summary>
internal sealed class SchemaCheck(JsonObject types, YamlMap map)
{
    private const string Type = "type";

    /// <summary>What is wrong with a map of the given schema.</summary>
    public List<Problem> Object(YamlTable table, string path, string schema)
    {
        var problems = new List<Problem>();
        if (!types.ContainsKey(schema))
        {
            return problems;
        }

        var fields = Fields(schema).ToDictionary(field => field.Text("name")!, StringComparer.Ordinal);
        foreach (var entry in table.Entries)
        {
            var below = Join(path, entry.Key);
            if (!fields.TryGetValue(entry.Key, out var field))
            {
                if (entry.Key != "$schema")
                {
                    problems.Add(At(entry.Line, entry.Column, below, $"unknown key '{entry.Key}'"));
                }
            }
            else if (field.Flag("readOnly") != true && !entry.Value.IsNull)
            {
                problems.AddRange(Value(entry.Value, below, field));
            }
        }

        foreach (var (name, field) in fields.Where(pair => pair.Value.Flag("required") == true && table.Find(pair.Key)?.Value is null or { IsNull: true }))
        {
            if (field.Flag("nullable") != true || table.Find(name) is null)
            {
                problems.Add(At(table.Line, table.Column, Join(path, name), $"'{name}' is required"));
            }
        }

        return problems;
    }

    /// <summary>What is wrong with a map that is of one of the schemas: of the one that its <c>type</c> names, else of the one that fits best.</summary>
    public List<Problem> AnyOf(YamlTable table, string path, IEnumerable<string> schemas)
    {
        var all = schemas.ToArray();
        var said = (table.Find(Type)?.Value as YamlText)?.Text;
        var named = all.Where(schema => Names(schema, said)).ToArray();
        if (said is not null && named.Length == 0 && all.All(schema => Words(schema).Length > 0))
        {
            var type = table.Find(Type)!.Value;
            return [At(type.Line, type.Column, Join(path, Type), $"'{Type}' must be one of {string.Join(", ", all.SelectMany(Words).Distinct(StringComparer.Ordinal))}")];
        }

        return (named.Length > 0 ? named : all).Select(schema => Object(table, path, schema)).MinBy(problems => problems.Count) ?? [];
    }

    private List<Problem> Value(YamlNode node, string path, JsonObject type) => type.Text(Type) switch
    {
        "any" => [],
        "oneOf" => OneOf(node, path, Alternatives(type).ToArray()),
        "object" => node switch
        {
            YamlTable table => Object(table, path, type.Text("schema")!),
            YamlText text when text.Text.StartsWith("file:", StringComparison.OrdinalIgnoreCase) || IsExpression(text.Text) => [],
            _ => [Wrong(node, path, "a map")],
        },
        "map" => node is YamlTable table
            ? [.. type.Object("values_type") is { } of ? table.Entries.Where(entry => !entry.Value.IsNull).SelectMany(entry => Value(entry.Value, Join(path, entry.Key), of)) : []]
            : [Wrong(node, path, "a map")],
        "list" => node is YamlList list
            ? [.. type.Object("items") is { } of ? list.Items.SelectMany((item, i) => Value(item, $"{path}[{i}]", of)) : []]
            : [Wrong(node, path, "a list")],
        _ => Expected(type) is var expected && node is YamlText text && (Fits(text.Text, type) || IsExpression(text.Text)) ? [] : [Wrong(node, path, expected)],
    };

    private List<Problem> OneOf(YamlNode node, string path, JsonObject[] alternatives)
    {
        var tried = alternatives.Select(one => Value(node, path, one)).ToArray();
        if (tried.Any(problems => problems.Count == 0))
        {
            return [];
        }

        var objects = alternatives.Where(one => one.Text(Type) == "object").Select(one => one.Text("schema")!).ToArray();
        return node is YamlTable table && objects.Length > 0
            ? AnyOf(table, path, objects)
            : tried.FirstOrDefault(problems => problems.Count > 0 && problems[0].Target is { } target && !target.EndsWith(" " + path, StringComparison.Ordinal))
                ?? [Wrong(node, path, string.Join(" or ", alternatives.Select(Expected).Distinct(StringComparer.Ordinal)))];
    }

    /// <summary>The alternatives, with those of alternatives among them.</summary>
    private static IEnumerable<JsonObject> Alternatives(JsonObject type) =>
        type["oneOf"]!.AsArray().OfType<JsonObject>().SelectMany(one => one.Text(Type) == "oneOf" ? Alternatives(one) : [one]);

    private static bool Fits(string text, JsonObject type) => type.Text(Type) switch
    {
        "integer" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "number" => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
        "boolean" => bool.TryParse(text, out _),
        "enum" => Words(type).Contains(text, StringComparer.OrdinalIgnoreCase),
        _ => true,
    };

    private static string Expected(JsonObject type) => type.Text(Type) switch
    {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "object" or "map" => "a map",
        "list" => "a list",
        "enum" => "one of " + string.Join(", ", Words(type)),
        _ => "a scalar",
    };

    private static bool IsExpression(string text) => text.Contains("${{", StringComparison.Ordinal);

    private static string[] Words(JsonObject type) => type["values"] is JsonArray values ? [.. values.Select(value => ZaffreJson.Text(value) ?? "")] : [];

    private string[] Words(string schema) => Fields(schema).FirstOrDefault(field => field.Text("name") == Type) is { } field ? Words(field) : [];

    private bool Names(string schema, string? said) => said is not null && Words(schema).Contains(said, StringComparer.OrdinalIgnoreCase);

    private IEnumerable<JsonObject> Fields(string schema) => types[schema]?.AsArray().OfType<JsonObject>() ?? [];

    private Problem Wrong(YamlNode node, string path, string expected) =>
        At(node.Line, node.Column, path, $"'{path[(path.LastIndexOf('.') + 1)..]}' must be {expected}");

    private Problem At(int line, int column, string path, string message) => new(ProblemKind.Invalid, "InvalidYaml", message) { Target = map.At(line, column, path) };

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
