using System.Text.Json.Nodes;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>A value given to a node's input: a reference, or a literal or data of its own.</summary>
internal sealed record NodeInput(string Path)
{
    public Reference? Bound { get; init; }

    public InputSpec? Own { get; init; }

    /// <summary>The wire's name of the mode; of data of its own or over a reference.</summary>
    public string? Mode { get; init; }
}

/// <summary>What a node says of an output: the pipeline's output that it is, or a place of its own.</summary>
internal sealed record NodeOutput(string Path)
{
    /// <summary>The name of the pipeline's output.</summary>
    public string? Bound { get; init; }

    public OutputSpec? Own { get; init; }

    public string? Mode { get; init; }
}

/// <summary>A node of a pipeline as its document says it.</summary>
internal sealed record Node(string Name, string Path, JsonObject Document)
{
    /// <summary>Null when it is missing, which is reported.</summary>
    public string? ComponentId { get; init; }

    public IReadOnlyDictionary<string, NodeInput> Inputs { get; init; } = new Dictionary<string, NodeInput>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, NodeOutput> Outputs { get; init; } = new Dictionary<string, NodeOutput>(StringComparer.Ordinal);

    /// <summary>What it decides or repeats; null for a step that runs a component once.</summary>
    public ControlFlow? Control { get; init; }

    /// <summary>Steps that it waits for beside those that its inputs are bound to.</summary>
    public IReadOnlySet<string> After { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}

/// <summary>Reads the nodes of a pipeline: snake_case maps, as every SDK sends them.</summary>
internal static class NodeReader
{
    private static readonly string[] Engines = ["command", "pipeline"];

    private static readonly string[] WithoutEngine =
        ["sweep", "parallel", "automl", "spark", "import", "data_transfer", "fl_scatter_gather", "finetuning"];

    /// <summary>Every node that can be read; problems lie under <paramref name="path"/>.</summary>
    public static IReadOnlyList<Node> Read(JsonObject jobs, string path, Findings findings)
    {
        var nodes = new List<Node>();
        foreach (var (name, json) in jobs)
        {
            var at = $"{path}.{name}";
            if (!Names.IsNode(name))
            {
                findings.Invalid(at, "the name of a step begins with a letter or underscore, followed by letters, digits, _ and -, 128 characters at most.");
            }
            else if (json is not JsonObject map)
            {
                findings.Invalid(at, $"must be an object, not {(json is null ? "null" : Findings.Kind(json))}.");
            }
            else if (ControlFlowReader.Knows(ZaffreJson.Text(map["type"])))
            {
                nodes.Add(ControlFlowReader.Read(name, at, map, findings));
            }
            else if (HasEngine(map, at, findings))
            {
                nodes.Add(ReadNode(name, at, map, findings));
            }
        }

        return nodes;
    }

    private static bool HasEngine(JsonObject map, string path, Findings findings)
    {
        var type = findings.Scalar(map, "type", path);
        if (string.IsNullOrEmpty(type) || Engines.Contains(type, StringComparer.Ordinal))
        {
            return true;
        }

        if (WithoutEngine.Contains(type, StringComparer.OrdinalIgnoreCase))
        {
            findings.Unsupported($"{path}.type", $"steps of type {type} are not supported yet; command, pipeline, {string.Join(", ", ControlFlowReader.Types)} are.");
        }
        else
        {
            findings.Invalid($"{path}.type", $"'{type}' is no type of a step: {string.Join(", ", Engines.Concat(ControlFlowReader.Types))}.");
        }

        return false;
    }

    private static Node ReadNode(string name, string path, JsonObject map, Findings findings)
    {
        var component = findings.Scalar(map, "componentId", path);
        if (string.IsNullOrWhiteSpace(component) && map["componentId"] is null or JsonValue)
        {
            findings.Invalid($"{path}.componentId", "componentId is missing: the component that the step runs.");
        }

        return new Node(name, path, map)
        {
            ComponentId = string.IsNullOrWhiteSpace(component) ? null : component,
            Inputs = ReadInputs(findings.Map(map, "inputs", path), $"{path}.inputs", findings),
            Outputs = ReadOutputs(map, path, findings),
        };
    }

    /// <summary>Every input of the map; those without a value are left out.</summary>
    public static Dictionary<string, NodeInput> ReadInputs(JsonObject map, string path, Findings findings)
    {
        var inputs = new Dictionary<string, NodeInput>(StringComparer.Ordinal);
        foreach (var (key, value) in map)
        {
            if (value is not null && ReadInput(value, $"{path}.{key}", findings) is { } input)
            {
                inputs[key] = input;
            }
        }

        return inputs;
    }

    /// <summary>What a node says of its outputs.</summary>
    public static Dictionary<string, NodeOutput> ReadOutputs(JsonObject map, string path, Findings findings)
    {
        var outputs = new Dictionary<string, NodeOutput>(StringComparer.Ordinal);
        foreach (var (key, value) in findings.Map(map, "outputs", path))
        {
            if (value is not null && ReadOutput(value, $"{path}.outputs.{key}", findings) is { } output)
            {
                outputs[key] = output;
            }
        }

        return outputs;
    }

    private static NodeInput? ReadInput(JsonNode value, string path, Findings findings)
    {
        var map = value as JsonObject;
        var literal = map is null ? ZaffreJson.Text(value) : findings.Scalar(map, "value", path);
        var mode = map is null ? null : findings.Scalar(map, "mode", path);
        if (map is not null && literal is null)
        {
            if (map.ContainsKey("value") && map["value"] is null)
            {
                return null;
            }

            var own = InputsAndOutputs.ReadInput(Camel(map), path, findings);
            return own is null ? null : Reference.TryParse(own.Value) is { } place
                ? new NodeInput(path) { Bound = place, Mode = string.IsNullOrEmpty(mode) ? null : mode }
                : new NodeInput(path) { Own = own, Mode = mode };
        }

        if (literal is null)
        {
            findings.Invalid(path, $"must be an object or a value, not {Findings.Kind(value)}.");
            return null;
        }

        if (Reference.TryParse(literal) is { } bound)
        {
            return new NodeInput(path) { Bound = bound, Mode = string.IsNullOrEmpty(mode) ? null : mode };
        }

        CheckPlain(literal, path, findings);
        return new NodeInput(path) { Own = new InputSpec(JobTypes.Literal, literal, InputMode.Direct) };
    }

    private static NodeOutput? ReadOutput(JsonNode value, string path, Findings findings)
    {
        var map = value as JsonObject;
        var text = map is null ? ZaffreJson.Text(value) : findings.Scalar(map, "value", path);
        if (text is null && map is not null)
        {
            var own = InputsAndOutputs.ReadOutput(Camel(map), path, findings);
            return own is null ? null : new NodeOutput(path) { Own = own, Mode = findings.Scalar(map, "mode", path) };
        }

        if (text is not null && Reference.TryParse(text) is { Step: null, Output: true } bound)
        {
            return new NodeOutput(path) { Bound = bound.Name, Mode = map is null ? null : findings.Scalar(map, "mode", path) };
        }

        findings.Invalid(path, $"'{text}' is no binding of an output: ${{{{parent.outputs.name}}}}.");
        return null;
    }

    /// <summary>A literal is taken as it is: an expression in it would reach the command unresolved.</summary>
    private static void CheckPlain(string literal, string path, Findings findings)
    {
        if (Expressions.In(literal).FirstOrDefault() is { } expression)
        {
            var advice = expression.StartsWith("inputs.", StringComparison.Ordinal) || expression.StartsWith("jobs.", StringComparison.Ordinal)
                ? $"write ${{{{parent.{expression}}}}}"
                : "an input is bound as a whole to ${{parent.inputs.x}}, ${{parent.jobs.y.outputs.z}} or ${{parent.jobs.y.inputs.z}}";
            findings.Invalid(path, $"'{literal}' holds the expression ${{{{{expression}}}}}, which means nothing here: {advice}.");
        }
    }

    /// <summary>The members that are spelled otherwise in a node.</summary>
    private static JsonObject Camel(JsonObject map)
    {
        var camel = SnakeCase.ToCamel(map);
        foreach (var (name, wire) in (ReadOnlySpan<(string, string)>)[("name", "assetName"), ("version", "assetVersion")])
        {
            if (camel[wire] is null && camel[name] is JsonValue value)
            {
                camel[wire] = value.DeepClone();
            }
        }

        return camel;
    }
}
