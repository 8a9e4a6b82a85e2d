using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Jobs.Yaml;

/// <summary>The steps of a pipeline that decide or repeat, as YAML writes them; what they name is checked where the pipeline is compiled.</summary>
internal static class ControlFlowYaml
{
    /// <summary>True when the step is an <c>if_else</c>, a <c>do_while</c> or a <c>parallel_for</c>.</summary>
    public static bool Is(YamlMap node) => ControlFlowReader.Knows(node.Text("type"));

    /// <summary>The ports that others find: a <c>do_while</c> has its body's, a <c>parallel_for</c> collects its outputs.</summary>
    public static YamlPorts Ports(YamlMap node, IReadOnlyDictionary<string, YamlComponent?> steps)
    {
        var body = node.Text("type") == "if_else" ? null : ControlFlowReader.StepName(node.Text("body") ?? "");
        var ports = body is null ? null : steps.GetValueOrDefault(body)?.Ports;
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        return ports is null
            ? new YamlPorts(none, none)
            : node.Text("type") == "do_while"
                ? ports
                : ports with { Outputs = ports.Outputs.ToDictionary(pair => pair.Key, pair => PortTypes.IsPrimitive(pair.Value) ? PortTypes.Text : "mltable", StringComparer.Ordinal) };
    }

    /// <summary>The node, as REST takes it; a <c>parallel_for</c> has <paramref name="outputs"/>.</summary>
    public static async Task<JsonObject> ReadAsync(YamlReading reading, YamlMap node, JsonObject? outputs, CancellationToken ct)
    {
        node.Ignore("name", "display_name", "comment");
        var type = node.Text("type", required: true);
        var json = type switch
        {
            "if_else" => new JsonObject { ["condition"] = node.Text("condition"), ["true_block"] = Block(node, "true_block"), ["false_block"] = Block(node, "false_block") },
            "do_while" => new JsonObject { ["body"] = node.Text("body"), ["condition"] = node.Text("condition"), ["mapping"] = Mapping(node), ["limits"] = Limits(node) },
            _ => new JsonObject
            {
                ["body"] = node.Text("body"),
                ["items"] = await ItemsAsync(reading, node, ct),
                ["max_concurrency"] = node.Integer("max_concurrency"),
                ["outputs"] = outputs,
            },
        };
        json["type"] = type;
        json["_source"] = "YAML.JOB";
        return CommandYaml.Compact(json);
    }

    private static JsonNode? Block(YamlMap node, string key) => node.ShapeOf(key) is YamlShape.List
        ? new JsonArray([.. (node.TextList(key) ?? []).Select(step => JsonValue.Create(step))])
        : node.Text(key);

    private static JsonObject? Mapping(YamlMap node)
    {
        if (node.Map("mapping", required: true) is not { } map)
        {
            return null;
        }

        return new JsonObject(map.Keys.Select(output => KeyValuePair.Create(
            output,
            map.ShapeOf(output) is YamlShape.List ? new JsonArray([.. (map.TextList(output) ?? []).Select(input => JsonValue.Create(input))]) : (JsonNode?)map.Text(output))));
    }

    private static JsonObject? Limits(YamlMap node) => node.Map("limits") is { } limits ? CommandYaml.Compact(new JsonObject { ["max_iteration_count"] = limits.Text("max_iteration_count") }) : null;

    /// <summary>The items as JSON text, which is how clients send them.</summary>
    private static async Task<string?> ItemsAsync(YamlReading reading, YamlMap node, CancellationToken ct)
    {
        const string key = "items";
        switch (node.ShapeOf(key))
        {
            case YamlShape.List:
                var list = new JsonArray();
                foreach (var item in node.MapList(key) ?? [])
                {
                    list.Add(await ItemAsync(reading, item, ct));
                }

                return list.ToJsonString();
            case YamlShape.Map:
                var map = new JsonObject();
                var items = node.Map(key)!;
                foreach (var name in items.Keys)
                {
                    map[name] = items.Map(name, required: true) is { } item ? await ItemAsync(reading, item, ct) : null;
                }

                return map.ToJsonString();
            default:
                return node.Text(key);
        }
    }

    private static async Task<JsonObject> ItemAsync(YamlReading reading, YamlMap item, CancellationToken ct)
    {
        var json = new JsonObject();
        foreach (var name in item.Keys)
        {
            json[name] = item.ShapeOf(name) is not YamlShape.Map
                ? item.Text(name)
                : await CommandYaml.InputAsync(reading, item.Map(name)!, ct) is { } input ? SnakeCase.FromCamel(input) : null;
        }

        return json;
    }
}
