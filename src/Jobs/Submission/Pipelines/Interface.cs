using Zaffre.Web;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>A node whose component is known, and what was found out about it; without <paramref name="Outputs"/> when it could not be planned.</summary>
internal sealed record CompiledNode(ArmId Id, Component Component, IReadOnlyDictionary<string, Bound> Inputs, IReadOnlyDictionary<string, PlannedOutput> Outputs)
{
    /// <summary>The outputs whose place is known only when the node has ended, because a loop writes them.</summary>
    public IReadOnlySet<string> Late { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}

/// <summary>One level of a pipeline: its job, what is bound to its inputs, where its outputs lie, and the nodes compiled so far.</summary>
internal sealed record Level(ArmId Job, string Path)
{
    public required IReadOnlyDictionary<string, Bound> Inputs { get; init; }

    public required IReadOnlyDictionary<string, PlannedOutput> Outputs { get; init; }

    /// <summary>The names of all nodes, also of those that cannot be compiled.</summary>
    public required IReadOnlyCollection<string> Names { get; init; }

    public int Depth { get; init; }

    /// <summary>The outputs that have a place which somebody chose.</summary>
    public IReadOnlySet<string> Placed { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>The outputs that a loop writes, so that their place is known only at the end.</summary>
    public HashSet<string> Late { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, CompiledNode> Nodes { get; } = new(StringComparer.Ordinal);

    /// <summary>Which step's output each output of the pipeline is, as far as known.</summary>
    public Dictionary<string, StepOutput> Written { get; } = new(StringComparer.Ordinal);
}

/// <summary>Holds what a node gives against what its component declares: names, types, values. Every mismatch is reported at its place.</summary>
internal static class Interface
{
    private const int MostNamed = 20;

    private static readonly HashSet<string> Nothing = new(StringComparer.Ordinal);

    /// <summary>What each declared input is. Those that <paramref name="fed"/> names get a value by a loop, and need none of the node.</summary>
    public static Dictionary<string, Bound> Inputs(Node node, Component component, Level level, Findings findings, IReadOnlySet<string>? fed = null)
    {
        foreach (var (name, given) in node.Inputs.Where(pair => !component.Inputs.ContainsKey(pair.Key)))
        {
            findings.Invalid(given.Path, $"the component of '{node.Name}' has no input '{name}'; {Has(component.Inputs.Keys)}.");
        }

        var inputs = new Dictionary<string, Bound>(StringComparer.Ordinal);
        foreach (var (name, port) in component.Inputs)
        {
            var given = node.Inputs.GetValueOrDefault(name);
            var path = given?.Path ?? $"{node.Path}.inputs.{name}";
            var bound = given is null ? Bound.Absent : Value(given, level, findings);
            if (ReferenceEquals(bound, Bound.Absent) && port.Default is { } value)
            {
                bound = new Bound(port.IsPrimitive ? JobTypes.Literal : port.Type, value);
            }
            else if (ReferenceEquals(bound, Bound.Absent) && !port.Optional && !(fed ?? Nothing).Contains(name))
            {
                findings.Invalid(path, $"the input '{name}' of '{node.Name}' is required ({port.Type}) and has no value.");
                bound = Bound.Broken;
            }

            inputs[name] = Fitting(port, bound, $"the input '{name}' of '{node.Name}'", path, findings);
        }

        return inputs;
    }

    /// <summary>The value when the port takes it; else broken, and reported.</summary>
    public static Bound Fitting(Port port, Bound bound, string what, string path, Findings findings) =>
        bound.HasValue && Mismatch(port, bound) is { } mismatch ? Reported(findings, path, $"{what} {mismatch}.") : bound;

    /// <summary>Where each declared output goes.</summary>
    public static Dictionary<string, OutputSpec> Outputs(Node node, Component component, Level? level, Findings findings)
    {
        foreach (var (name, given) in node.Outputs.Where(pair => !component.Outputs.ContainsKey(pair.Key)))
        {
            findings.Invalid(given.Path, $"the component of '{node.Name}' has no output '{name}'; {Has(component.Outputs.Keys)}.");
        }

        var outputs = new Dictionary<string, OutputSpec>(StringComparer.Ordinal);
        foreach (var (name, port) in component.Outputs)
        {
            var given = node.Outputs.GetValueOrDefault(name);
            outputs[name] = given switch
            {
                null => new OutputSpec(port.Type, OutputMode.Mount),
                { Own: { } own } => Own(own, port, given.Path, findings),
                _ => BoundTo(given, port, level, findings) ?? new OutputSpec(port.Type, OutputMode.Mount),
            };
        }

        return outputs;
    }

    private static OutputSpec Own(OutputSpec own, Port port, string path, Findings findings)
    {
        if (own.Type == port.Type)
        {
            return own;
        }

        if (port.IsPrimitive && own.Type == JobTypes.UriFile)
        {
            return own with { Type = port.Type };
        }

        if (!PortTypes.Fits(port.Type, own.Type) || (own.Type == JobTypes.UriFile) != JobTypes.IsFile(port.Type))
        {
            findings.Invalid(path, $"the component declares this output as {port.Type}, not as {own.Type}.");
        }

        return own;
    }

    private static OutputSpec? BoundTo(NodeOutput given, Port port, Level? level, Findings findings)
    {
        if (level is null || !level.Outputs.TryGetValue(given.Bound!, out var target))
        {
            findings.Invalid(given.Path, $"the pipeline has no output '{given.Bound}'; {Has(level?.Outputs.Keys ?? [])}.");
            return null;
        }

        var file = port.IsPrimitive && target.Type == JobTypes.UriFile;
        if ((!file && !PortTypes.Fits(target.Type, port.Type)) || JobTypes.IsFile(target.Type) != JobTypes.IsFile(port.Type))
        {
            findings.Invalid(given.Path, $"the pipeline's output '{given.Bound}' is a {target.Type}, and the step writes a {port.Type}.");
        }

        return new OutputSpec(port.Type, InputsAndOutputs.OutputModeOf(given.Mode, given.Path, findings) ?? target.Mode) { Uri = target.Uri, Chosen = !target.Asked, Pattern = target.Pattern };
    }

    /// <summary>What a given value is.</summary>
    public static Bound Value(NodeInput given, Level level, Findings findings)
    {
        if (given.Own is { } own)
        {
            return new Bound(own.Type, own.Value) { Mode = given.Mode };
        }

        var bound = given.Bound! switch
        {
            { Step: { } step } reference => OfStep(step, reference, given.Path, level, findings),
            { Output: true } reference => Reported(findings, given.Path, $"{reference} is an output of the pipeline; an input is bound to ${{{{parent.inputs.x}}}} or ${{{{parent.jobs.y.outputs.z}}}}."),
            var reference => level.Inputs.TryGetValue(reference.Name, out var found)
                ? found
                : Reported(findings, given.Path, $"the pipeline has no input '{reference.Name}'; {Has(level.Inputs.Keys)}."),
        };
        return bound.HasValue && !bound.IsLiteral && given.Mode is not null ? bound with { Mode = given.Mode } : bound;
    }

    private static Bound OfStep(string step, Reference reference, string path, Level level, Findings findings)
    {
        if (!level.Names.Contains(step))
        {
            return Reported(findings, path, $"{reference} names the step '{step}', which the pipeline does not have; {Has(level.Names)}.");
        }

        if (!level.Nodes.TryGetValue(step, out var node))
        {
            return Bound.Broken;
        }

        if (!reference.Output)
        {
            return node.Inputs.TryGetValue(reference.Name, out var input)
                ? input
                : Reported(findings, path, $"{reference}: the step '{step}' has no input '{reference.Name}'; {Has(node.Component.Inputs.Keys)}.");
        }

        if (!node.Component.Outputs.TryGetValue(reference.Name, out var port))
        {
            return Reported(findings, path, $"{reference}: the step '{step}' has no output '{reference.Name}'; {Has(node.Component.Outputs.Keys)}.");
        }

        if (PortTypes.IsPrimitive(port.Type) || node.Late.Contains(reference.Name))
        {
            return new Bound(port.Type, "") { From = new LateSource(node.Id.Value, reference.Name, OfInput: false) };
        }

        return node.Outputs.TryGetValue(reference.Name, out var planned) ? new Bound(port.Type, planned.Uri) : new Bound(port.Type, "");
    }

    private static string? Mismatch(Port port, Bound bound)
    {
        if (bound.IsLiteral)
        {
            return port.IsPrimitive
                ? port.Problem(bound.Value) is { } reason ? $"is of type {port.Type}: {reason}" : null
                : $"is a {port.Type}, and is given the value '{bound.Value}'; give it a uri, or the output of a step";
        }

        return !PortTypes.Fits(port.Type, bound.Type) ? $"is of type {port.Type}, and is given a {bound.Type}" : null;
    }

    private static Bound Reported(Findings findings, string path, string message)
    {
        findings.Invalid(path, message);
        return Bound.Broken;
    }

    /// <summary>What there is, for messages.</summary>
    public static string Has(IEnumerable<string> names) => names.Take(MostNamed + 1).ToArray() switch
    {
        [] => "it has none",
        { Length: <= MostNamed } some => "it has " + string.Join(", ", some),
        var some => $"it has {string.Join(", ", some.Take(MostNamed))}, ...",
    };
}
