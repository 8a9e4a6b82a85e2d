using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Jobs.Yaml;

/// <summary>
/// The steps of a pipeline. An inline job becomes an anonymous component whose inputs have the types of what they are bound to, as the SDK makes it.
/// </summary>
internal sealed class YamlNodes(YamlReading reading, YamlComponents components)
{
    /// <summary>The nodes under <c>jobs</c>, as REST takes them.</summary>
    public async Task<JsonObject?> ReadAsync(YamlMap pipeline, YamlPorts ports, CancellationToken ct)
    {
        if (pipeline.Map("jobs", required: true) is not { } jobs)
        {
            return null;
        }

        // Outputs first: what an inline job's inputs are bound to may stand below it.
        var uses = new Dictionary<string, YamlComponent?>(StringComparer.Ordinal);
        foreach (var (name, node) in jobs.Keys.Select(name => (name, jobs.Map(name, required: true))))
        {
            if (node is not null && !ControlFlowYaml.Is(node) && HasEngine(node))
            {
                uses[name] = node.Has("component") ? await components.UseAsync(node, ct) : new YamlComponent("command", null, new YamlPorts(new Dictionary<string, string>(StringComparer.Ordinal), InlineOutputs(node, ports)));
            }
        }

        foreach (var (name, node) in jobs.Keys.Select(name => (name, jobs.Map(name))).Where(pair => pair.Item2 is { } node && ControlFlowYaml.Is(node)))
        {
            uses[name] = new YamlComponent("", null, ControlFlowYaml.Ports(node!, uses));
        }

        var nodes = new JsonObject();
        foreach (var name in jobs.Keys.Where(name => jobs.Peek(name) is not null))
        {
            // What has no engine is kept by its name and type: others may be bound to it, which is no mistake of theirs.
            var node = jobs.Map(name)!;
            nodes[name] = !uses.TryGetValue(name, out var use) ? new JsonObject { ["type"] = node.PeekText("type") }
                : ControlFlowYaml.Is(node) ? await ControlFlowYaml.ReadAsync(reading, node, Outputs(node, use), ct)
                : await NodeAsync(name, node, use, new YamlTypes(ports, uses, jobs), ct);
        }

        return nodes;
    }

    private static bool HasEngine(YamlMap node)
    {
        var type = node.Text("type");
        if (type is null or "command" or "pipeline")
        {
            return true;
        }

        WithoutEngineYaml.RefuseStep(node, type);
        return false;
    }

    private async Task<JsonObject> NodeAsync(string name, YamlMap node, YamlComponent? use, YamlTypes types, CancellationToken ct)
    {
        node.Ignore("name", "experiment_name", "id", "creation_context", "status", "log_files", "parameters");
        var inline = !node.Has("component");
        var inputs = await InputsAsync(node, ct);
        var component = inline ? await InlineAsync(name, node, types, ct) : use?.Id;
        var json = new JsonObject
        {
            ["name"] = name,
            ["type"] = use?.Kind ?? "command",
            ["componentId"] = component,
            ["display_name"] = node.Text("display_name"),
            ["comment"] = node.Text("comment"),
            ["tags"] = node.Texts("tags"),
            ["properties"] = node.Texts("properties"),
            ["computeId"] = CommandYaml.Compute(reading, node, "compute"),
            ["inputs"] = inputs,
            ["outputs"] = Outputs(node, use),
            ["limits"] = Snake(CommandYaml.Limits(node)),
            ["resources"] = Snake(CommandYaml.Resources(node)),
            ["distribution"] = Snake(CommandYaml.Distribution(node)),
            ["queue_settings"] = Snake(CommandYaml.Queue(node)),
            ["identity"] = Snake(CommandYaml.Identity(node)),
            ["environment_variables"] = inline ? null : node.Texts("environment_variables"),
            ["_source"] = inline ? "YAML.JOB" : "YAML.COMPONENT",
        };
        if (!inline && node.Has("environment"))
        {
            node.Json("environment");
            node.Unsupported("environment", "The environment of a component cannot be replaced by a step; change the component.");
        }

        CommandYaml.RefuseUnsupported(node);
        return CommandYaml.Compact(json);
    }

    private async Task<string?> InlineAsync(string name, YamlMap node, YamlTypes types, CancellationToken ct)
    {
        var spec = new JsonObject
        {
            ["name"] = "azureml_anonymous",
            ["type"] = "command",
            ["display_name"] = name,
            ["description"] = node.Text("description"),
            ["command"] = node.Text("command", required: true),
            ["inputs"] = new JsonObject((node.Map("inputs")?.Keys ?? []).Select(input => KeyValuePair.Create(input, (JsonNode?)new JsonObject { ["type"] = types.OfInput(node, input) }))),
            ["outputs"] = new JsonObject(InlineOutputs(node, types.Pipeline).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)new JsonObject { ["type"] = pair.Value }))),
            ["code"] = await reading.ComponentCodeAsync(node, withIncludes: false, ct) is { } code ? "azureml:" + code : null,
            ["environment"] = await CommandYaml.EnvironmentAsync(reading, node, ct) is { } environment ? (environment.StartsWith('/') ? "azureml:" : "") + environment : null,
            ["environment_variables"] = node.Texts("environment_variables"),
        };
        return components.Add(CommandYaml.Compact(spec));
    }

    private static Dictionary<string, string> InlineOutputs(YamlMap node, YamlPorts pipeline)
    {
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        if (node.Map("outputs") is not { } outputs)
        {
            return types;
        }

        foreach (var name in outputs.Keys)
        {
            var map = outputs.ShapeOf(name) is YamlShape.Map ? outputs.Map(name) : null;
            var bound = map?.Text("path") ?? (map is null ? outputs.Text(name) : null);
            types[name] = map?.Text("type")
                ?? (bound is not null && Reference.TryParse(bound) is { Step: null, Output: true } reference && pipeline.Outputs.TryGetValue(reference.Name, out var type) ? type : "uri_folder");
        }

        return types;
    }

    private async Task<JsonObject?> InputsAsync(YamlMap node, CancellationToken ct)
    {
        if (node.Map("inputs") is not { } map)
        {
            return null;
        }

        var inputs = new JsonObject();
        foreach (var name in map.Keys)
        {
            if (map.ShapeOf(name) is not YamlShape.Map)
            {
                map.Ignore(name);
                inputs[name] = map.Literal(name) is { } text ? Value(text) : null;
            }
            else if (map.Map(name) is { } input)
            {
                inputs[name] = input.Text("path") is { } path && Reference.TryParse(path) is not null
                    ? Bound(input, path)
                    : await CommandYaml.InputAsync(reading, input, ct) is { } own ? SnakeCase.FromCamel(own) : null;
            }
        }

        return CommandYaml.Compact(inputs);
    }

    private static JsonObject Bound(YamlMap input, string path)
    {
        input.Text("type");
        var value = Value(path);
        if (input.Choice("mode", ["ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download"]) is { } mode)
        {
            value["mode"] = CommandYaml.InputMode(mode);
        }

        return value;
    }

    private static JsonObject? Outputs(YamlMap node, YamlComponent? use)
    {
        if (node.Map("outputs") is not { } map)
        {
            return null;
        }

        var outputs = new JsonObject();
        foreach (var name in map.Keys)
        {
            if (map.ShapeOf(name) is YamlShape.Null)
            {
                // Nothing to say about it: az leaves it to the component.
                map.Ignore(name);
            }
            else if (map.ShapeOf(name) is YamlShape.Scalar)
            {
                outputs[name] = new JsonObject { ["type"] = "literal", ["value"] = map.Text(name) };
            }
            else if (map.Map(name) is { } output && !IsValue(output))
            {
                outputs[name] = output.Text("path") is { } path && Reference.TryParse(path) is not null
                    ? CommandYaml.Compact(new JsonObject { ["type"] = "literal", ["value"] = path, ["mode"] = Typed(output) })
                    : Own(output, use?.Ports.Outputs.GetValueOrDefault(name));
            }
        }

        return outputs;
    }

    /// <summary>True for an output that is a value of an inline job: only its component says so.</summary>
    private static bool IsValue(YamlMap output)
    {
        if (!PortTypes.IsPrimitive(output.Text("type") ?? ""))
        {
            return false;
        }

        output.Ignore("is_control", "early_available");
        return !output.Has("path");
    }

    /// <summary>A place of its own; the component knows the type.</summary>
    private static JsonObject Own(YamlMap output, string? declared)
    {
        var own = SnakeCase.FromCamel(CommandYaml.Output(output));
        if (!output.Has("type") && declared is not null)
        {
            own["job_output_type"] = declared;
        }

        return own;
    }

    private static string? Typed(YamlMap output)
    {
        output.Text("type");
        return CommandYaml.OutputMode(output);
    }

    private static JsonObject Value(string text) => new() { ["job_input_type"] = "literal", ["value"] = text };

    private static JsonObject? Snake(JsonObject? camel) => camel is null ? null : SnakeCase.FromCamel(camel);
}

/// <summary>Finds the types that the inputs of inline jobs have by what they are bound to.</summary>
internal sealed class YamlTypes(YamlPorts pipeline, IReadOnlyDictionary<string, YamlComponent?> steps, YamlMap jobs)
{
    private const int MostHops = 100;

    public YamlPorts Pipeline => pipeline;

    /// <summary>The type of a job's input; <c>string</c> for what is no data.</summary>
    public string OfInput(YamlMap node, string name) => OfInput(node, name, MostHops);

    private string OfInput(YamlMap node, string name, int hops)
    {
        if (node.Map("inputs") is not { } inputs)
        {
            return "string";
        }

        var map = inputs.ShapeOf(name) is YamlShape.Map ? inputs.Map(name) : null;
        if (map?.Text("type") is { } type)
        {
            return type;
        }

        var text = map is null ? inputs.ShapeOf(name) is YamlShape.Scalar ? inputs.Text(name) : null : map.Text("path");
        return Reference.TryParse(text ?? "") is { } reference && hops > 0
            ? OfReference(reference, hops - 1)
            : map is not null && !map.Has("value") ? "uri_folder" : "string";
    }

    private string OfReference(Reference reference, int hops)
    {
        if (reference.Step is null)
        {
            return pipeline.Inputs.GetValueOrDefault(reference.Name, "string");
        }

        if (!steps.TryGetValue(reference.Step, out var step) || step is null)
        {
            return "uri_folder";
        }

        if (reference.Output)
        {
            return step.Ports.Outputs.GetValueOrDefault(reference.Name, "uri_folder");
        }

        return step.Ports.Inputs.TryGetValue(reference.Name, out var type) ? type : jobs.Map(reference.Step) is { } node ? OfInput(node, reference.Name, hops) : "string";
    }
}
