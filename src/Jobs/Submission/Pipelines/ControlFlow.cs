using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>What a node decides or repeats. <paramref name="Path"/> is where it stands.</summary>
internal abstract record ControlFlow(string Path);

/// <summary>Runs the steps of one of two blocks: by a value, or by what <see cref="Condition"/> is bound to.</summary>
internal sealed record IfElse(string Path, IReadOnlyList<string> True, IReadOnlyList<string> False) : ControlFlow(Path)
{
    public bool? Value { get; init; }

    public Reference? Condition { get; init; }
}

/// <summary>Repeats a step, named by its body. The body is set when the nodes are arranged.</summary>
internal abstract record Loop(string Path, string? BodyName) : ControlFlow(Path)
{
    public Node? Body { get; init; }
}

/// <summary>Repeats its body while an output of it is true.</summary>
internal sealed record DoWhile(string Path, string? BodyName) : Loop(Path, BodyName)
{
    /// <summary>As many iterations as Azure allows.</summary>
    public const int MostIterations = 1000;

    /// <summary>The body's output; null: as often as allowed.</summary>
    public string? Condition { get; init; }

    /// <summary>Output of an iteration to inputs of the next.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Mapping { get; init; } = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);

    public int Most { get; init; } = MostIterations;
}

/// <summary>Runs its body once for each item.</summary>
internal sealed record ParallelFor(string Path, string? BodyName) : Loop(Path, BodyName)
{
    /// <summary>Most items of one loop.</summary>
    public const int MostItems = 1000;

    /// <summary>Null when they are bound, or wrong (reported).</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, NodeInput>>? Items { get; init; }

    public Reference? Bound { get; init; }

    /// <summary>How many run at a time; all when null.</summary>
    public int? AtOnce { get; init; }
}

/// <summary>Reads the nodes that decide or repeat, as the SDK and YAML send them.</summary>
internal static partial class ControlFlowReader
{
    public static readonly string[] Types = ["if_else", "do_while", "parallel_for"];

    public static bool Knows(string? type) => Types.Contains(type, StringComparer.Ordinal);

    public static Node Read(string name, string path, JsonObject map, Findings findings)
    {
        ControlFlow control = findings.Scalar(map, "type", path) switch
        {
            "if_else" => ReadIfElse(map, path, findings),
            "do_while" => ReadDoWhile(map, path, findings),
            _ => ReadParallelFor(map, path, findings),
        };
        return new Node(name, path, map) { Control = control, After = Sources(control), Outputs = control is ParallelFor ? NodeReader.ReadOutputs(map, path, findings) : [] };
    }

    private static HashSet<string> Sources(ControlFlow control) => (control switch
    {
        IfElse { Condition: { } reference } => [reference.Step],
        ParallelFor { Bound: { } reference } => [reference.Step],
        ParallelFor { Items: { } items } => items.SelectMany(item => item.Values).Select(input => input.Bound?.Step),
        _ => (IEnumerable<string?>)[],
    }).OfType<string>().ToHashSet(StringComparer.Ordinal);

    private static IfElse ReadIfElse(JsonObject map, string path, Findings findings)
    {
        var (yes, no) = (Block(map, "true_block", path, findings), Block(map, "false_block", path, findings));
        if (yes.Count + no.Count == 0 && map["true_block"] is null && map["false_block"] is null)
        {
            findings.Invalid($"{path}.true_block", "an if_else has a true_block, a false_block, or both: ${{parent.jobs.step}}.");
        }

        foreach (var both in yes.Intersect(no, StringComparer.Ordinal))
        {
            findings.Invalid($"{path}.false_block", $"the step '{both}' stands in both blocks.");
        }

        var control = new IfElse(path, yes, no);
        var text = findings.Scalar(map, "condition", path);
        if (bool.TryParse(text, out var value))
        {
            return control with { Value = value };
        }

        var reference = Reference.TryParse(text ?? "");
        if (reference is null or { Step: null, Output: true })
        {
            findings.Invalid($"{path}.condition", $"{(text is null ? "condition is missing" : $"'{text}' is no condition")}: true, false, ${{{{parent.inputs.x}}}}, or the boolean output of a step, ${{{{parent.jobs.y.outputs.z}}}}.");
            return control;
        }

        return control with { Condition = reference };
    }

    private static DoWhile ReadDoWhile(JsonObject map, string path, Findings findings)
    {
        var body = Body(map, path, findings);
        var condition = findings.Scalar(map, "condition", path);
        var mapping = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (key, value) in findings.Map(map, "mapping", path))
        {
            var at = $"{path}.mapping.{key}";
            var inputs = value is JsonArray list ? list : [value?.DeepClone()];
            mapping[Port(key, body, output: true, at, findings)] =
                [.. inputs.Select(item => Port(item is JsonValue ? Kernel.ZaffreJson.Text(item) ?? "" : "", body, output: false, at, findings))];
        }

        return new DoWhile(path, body)
        {
            Condition = string.IsNullOrWhiteSpace(condition) ? null : Port(condition, body, output: true, $"{path}.condition", findings),
            Mapping = mapping,
            Most = Most(map, path, endless: string.IsNullOrWhiteSpace(condition), findings),
        };
    }

    private static int Most(JsonObject map, string path, bool endless, Findings findings)
    {
        var at = $"{path}.limits.max_iteration_count";
        var limits = findings.Map(map, "limits", path);
        if ((findings.Scalar(limits, "max_iteration_count", $"{path}.limits") ?? findings.Scalar(limits, "maxIterationCount", $"{path}.limits")) is not { } text)
        {
            if (endless)
            {
                findings.Invalid(at, "the loop has neither a condition nor a limit: it would never end. Give it max_iteration_count.");
            }

            return DoWhile.MostIterations;
        }

        if (int.TryParse(text, out var most) && most is >= 1 and <= DoWhile.MostIterations)
        {
            return most;
        }

        findings.Invalid(at, $"'{text}' is no number of iterations: 1 to {DoWhile.MostIterations}, as a plain number.");
        return 1;
    }

    private static ParallelFor ReadParallelFor(JsonObject map, string path, Findings findings)
    {
        var loop = new ParallelFor(path, Body(map, path, findings)) { AtOnce = AtOnce(map, path, findings) };
        var items = map["items"];
        if (items is JsonValue && Kernel.ZaffreJson.Text(items) is { } text)
        {
            if (Reference.TryParse(text) is { } reference and not { Step: null, Output: true })
            {
                return loop with { Bound = reference };
            }

            items = LoopItems.Parse(text, $"{path}.items", findings);
        }
        else if (items is null)
        {
            findings.Invalid($"{path}.items", "items is missing: a list or map of objects, or a binding to one.");
        }

        return items is null ? loop : loop with { Items = LoopItems.Read(items, $"{path}.items", findings) };
    }

    private static int? AtOnce(JsonObject map, string path, Findings findings)
    {
        if (findings.Scalar(map, "max_concurrency", path) is not { Length: > 0 } text)
        {
            return null;
        }

        if (int.TryParse(text, out var most) && most >= 1)
        {
            return most;
        }

        findings.Invalid($"{path}.max_concurrency", $"'{text}' is no number of iterations at a time: a whole number from 1 on.");
        return null;
    }

    private static string? Body(JsonObject map, string path, Findings findings)
    {
        var text = findings.Scalar(map, "body", path);
        if (text is not null && StepName(text) is { } body)
        {
            return body;
        }

        findings.Invalid($"{path}.body", $"{(text is null ? "body is missing" : $"'{text}' is no body")}: the step that is repeated, ${{{{parent.jobs.step}}}}.");
        return null;
    }

    private static List<string> Block(JsonObject map, string member, string path, Findings findings)
    {
        var names = new List<string>();
        foreach (var node in map[member] is JsonArray list ? list : [map[member]?.DeepClone()])
        {
            if (node is null)
            {
                continue;
            }

            var text = node is JsonValue ? Kernel.ZaffreJson.Text(node) : null;
            if (StepName(text ?? "") is { } name)
            {
                names.Add(name);
            }
            else
            {
                findings.Invalid($"{path}.{member}", $"'{text ?? Findings.Kind(node)}' names no step: ${{{{parent.jobs.step}}}}, or a list of such.");
            }
        }

        return names;
    }

    /// <summary>The name of a port of the body, by itself or as a binding.</summary>
    private static string Port(string text, string? body, bool output, string path, Findings findings)
    {
        var reference = Reference.TryParse(text);
        if (reference is null && !Expressions.In(text).Any())
        {
            return text;
        }

        if (reference is null || reference.Step is null || reference.Output != output || (body is not null && reference.Step != body))
        {
            findings.Invalid(path, $"'{text}' is no {(output ? "output" : "input")} of the body: write its name, or ${{{{parent.jobs.{body ?? "body"}.{(output ? "outputs" : "inputs")}.name}}}}.");
        }

        return reference?.Name ?? "";
    }

    /// <summary>The step that <c>${{parent.jobs.step}}</c> names, or null.</summary>
    public static string? StepName(string text) => Step().Match(text) is { Success: true } match ? match.Groups["step"].Value : null;

    [GeneratedRegex(@"^\s*\$\{\{\s*parent\.jobs\.(?<step>[^.\s{}]+)\s*\}\}\s*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Step();
}
