using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>
/// Makes of a pipeline's nodes the jobs that will run: components, bindings, places and plans of the whole tree. Nothing is stored; everything
/// that is wrong is a finding.
/// </summary>
internal sealed class PipelineCompiler(JobPlanner planner)
{
    private const int Deepest = 16;

    private static readonly HashSet<string> Nothing = new(StringComparer.Ordinal);

    /// <summary>Compiles the nodes of a level into the compilation's steps.</summary>
    public async Task CompileAsync(Compilation compilation, Level level, JsonObject jobs, CancellationToken ct)
    {
        var path = $"{level.Path}.jobs";
        var findings = compilation.Findings;
        if (jobs.Count == 0)
        {
            findings.Invalid(path, "the pipeline has no steps.");
        }

        var nodes = ControlFlowNodes.Arrange(NodeReader.Read(jobs, path, findings), level.Names, findings);
        foreach (var node in StepOrder.Sort(nodes, path, findings))
        {
            if (!compilation.HasRoom(path))
            {
                return;
            }

            if (await NodeAsync(compilation, level, node, ct) is { } compiled)
            {
                Keep(level, node, compiled, findings);
            }
        }

        foreach (var name in level.Outputs.Keys.Where(name => !level.Written.ContainsKey(name)))
        {
            // A node that could not be read may have been the one that writes it.
            if (level.Nodes.Count == level.Names.Count)
            {
                findings.Invalid($"{level.Path}.outputs.{name}", $"no step writes the pipeline's output '{name}': bind the output of a step to ${{{{parent.outputs.{name}}}}}.");
            }
        }
    }

    /// <summary>What others find of a node: also under the name of a loop's body.</summary>
    private static void Keep(Level level, Node node, CompiledNode compiled, Findings findings)
    {
        level.Nodes[node.Name] = compiled;
        if (node.Control is Loop { Body: { } body })
        {
            level.Nodes[body.Name] = compiled;
        }

        foreach (var (name, output) in node.Outputs.Where(pair => compiled.Late.Contains(pair.Key)))
        {
            if (output.Bound is { } bound)
            {
                level.Late.Add(bound);
            }

            if (output.Own?.Uri is not null || (output.Bound is { } placed && level.Placed.Contains(placed)))
            {
                findings.Unsupported(output.Path, $"the output '{name}' is written by a do_while, whose last iteration decides where it lies: a place of its own (path) is not supported for it. Leave the path out, or copy the output in a step.");
            }
        }
    }

    private async Task<CompiledNode?> NodeAsync(Compilation compilation, Level level, Node node, CancellationToken ct)
    {
        if (node.Control is IfElse control)
        {
            return await ConditionAsync(compilation, level, node, control, ct);
        }

        if (node.ComponentId is not { } reference || await compilation.ComponentAsync(reference, $"{(node.Control as Loop)?.Body?.Path ?? node.Path}.componentId", ct) is not { } component)
        {
            return null;
        }

        if (node.Control is Loop loop)
        {
            return await new LoopCompiler(planner, StepAsync).CompileAsync(compilation, level, new LoopNode(node, loop, component), ct);
        }

        var findings = compilation.Findings;
        var id = compilation.NameFor(level.Job, node.Name);
        var part = new Part(node, component, compilation.Planning.For(id.Name, node.Path), id)
        {
            Inputs = Interface.Inputs(node, component, level, findings),
            Outputs = Interface.Outputs(node, component, level, findings),
            Needs = NeedsOf(node, level),
        };
        CheckWriters(node, level, id, findings);
        var step = await StepAsync(compilation, level, part, ct);
        return new CompiledNode(id, component, part.Inputs, step?.Plan.Outputs ?? new Dictionary<string, PlannedOutput>(StringComparer.Ordinal)) { Late = step?.Late ?? Nothing };
    }

    /// <summary>The jobs that a node waits for.</summary>
    public static IReadOnlyCollection<ArmId> NeedsOf(Node node, Level level) =>
        [.. StepOrder.Sources(node).Where(level.Nodes.ContainsKey).Select(name => level.Nodes[name].Id).Distinct()];

    private async Task<CompiledNode> ConditionAsync(Compilation compilation, Level level, Node node, IfElse control, CancellationToken ct)
    {
        var id = compilation.NameFor(level.Job, node.Name);
        var planned = new PlannedCondition(control.True, control.False) { Value = control.Value };
        if (control.Condition is { } reference)
        {
            var path = $"{node.Path}.condition";
            var bound = Interface.Value(new NodeInput(path) { Bound = reference }, level, compilation.Findings);
            if (bound.From is not null && bound.Type is not (PortTypes.Boolean or PortTypes.Text))
            {
                compilation.Findings.Invalid(path, $"{reference} is a {bound.Type}; a condition is a boolean.");
            }
            else if (bound.From is { } from)
            {
                planned = planned with { From = new LateInput(new Port(PortTypes.Boolean)) { Job = from.Job, Name = from.Name, OfInput = from.OfInput } };
            }
            else if (bound.IsLiteral && bool.TryParse(bound.Value, out var value))
            {
                planned = planned with { Value = value };
            }
            else if (bound.HasValue)
            {
                compilation.Findings.Invalid(path, bound.IsLiteral ? $"{reference} is '{bound.Value}'; a condition is true or false." : $"{reference} is a {bound.Type}; a condition is a boolean.");
            }
            else if (ReferenceEquals(bound, Bound.Absent))
            {
                compilation.Findings.Invalid(path, $"{reference} has no value; a condition is true or false.");
            }
        }

        var nothing = new Dictionary<string, PlannedOutput>(StringComparer.Ordinal);
        var plan = await planner.BareAsync(compilation.Planning.For(id.Name, node.Path), compilation.Experiment, nothing, ct) with { Root = compilation.Planning.Job, Condition = planned };
        compilation.Add(new PlannedStep(id, level.Job, node.Name) { Plan = plan, Document = StepDocument.OfControl(node, compilation), Needs = NeedsOf(node, level) });
        return new CompiledNode(id, Component.None, new Dictionary<string, Bound>(StringComparer.Ordinal), nothing);
    }

    /// <summary>Adds the step and what is below it; what can be known of it, null when nothing can.</summary>
    private async Task<CompiledStep?> StepAsync(Compilation compilation, Level level, Part part, CancellationToken ct) => part.Component.Kind == JobKind.Pipeline
        ? await PipelineAsync(compilation, level, part, ct)
        : new CompiledStep(await CommandAsync(compilation, level, part, ct), Nothing);

    private async Task<JobPlan> CommandAsync(Compilation compilation, Level level, Part part, CancellationToken ct)
    {
        var (component, planning) = (part.Component, part.Planning);
        var before = compilation.Findings.Count;
        var node = BoundSettings.Resolve(part.Node, level, compilation.Findings);
        var late = LatePlanning.Of(part);
        var absent = part.Inputs.Where(pair => ReferenceEquals(pair.Value, Bound.Absent) && !late.ContainsKey(pair.Key)).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        var perhaps = late.Where(pair => pair.Value.Port.Optional).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        var command = CommandTemplate.Resolve(ZaffreJson.Text(component.Spec["command"]) ?? "", component, (absent, perhaps), $"{node.Path}.command", compilation.Findings);
        var document = StepDocument.OfCommand(node, component, compilation, command);
        document["inputs"] = StepDocument.Inputs(part.Inputs);
        document["outputs"] = new JsonObject(part.Outputs.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)new JsonObject { ["jobOutputType"] = JobTypes.OnWire(pair.Value.Type) })));
        var broken = FillGaps(document, part.Inputs, late, compilation.Findings.Count > before);
        var spec = CommandReader.Read(document, planning.Findings);
        var plan = await planner.PlanAsync(planning, spec with { Outputs = part.Outputs, Datastore = compilation.Settings.Datastore }, ct);
        if (plan is null || broken || compilation.Findings.Count > before)
        {
            // The places of its outputs all the same, so that what reads them is checked; what is wrong with them is reported already.
            var quiet = planning with { Findings = new Findings() };
            return plan ?? await planner.BareAsync(quiet, compilation.Experiment, await planner.OutputsAsync(quiet, part.Outputs, compilation.Settings.Datastore, ct), ct);
        }

        StepDocument.Resolve(document, plan);
        LatePlanning.RemovePlaceholders(document, late.Keys);
        document["componentId"] = component.Id;
        plan = plan with { Root = compilation.Planning.Job, Pins = null, Reuse = component.ReuseIn(compilation.Settings), Late = late.Count == 0 ? null : late, Inputs = plan.Inputs.Where(pair => !late.ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal) };
        compilation.Add(new PlannedStep(part.Id, level.Job, node.Name) { Plan = plan, Rank = spec.Rank, Document = document, Needs = part.Needs });
        return plan;
    }

    /// <summary>
    /// Inputs that are wrong, and reported as such, and those that are known later get a place in the document, so that the rest of it can be checked;
    /// true when there are wrong ones.
    /// </summary>
    private static bool FillGaps(JsonObject document, IReadOnlyDictionary<string, Bound> inputs, Dictionary<string, LateInput> late, bool alsoAbsent)
    {
        var filled = false;
        foreach (var (name, bound) in inputs)
        {
            var broken = ReferenceEquals(bound, Bound.Broken) || bound is { HasValue: true, IsLiteral: false, Value.Length: 0, From: null };
            if (broken || late.ContainsKey(name) || (alsoAbsent && !bound.HasValue))
            {
                document["inputs"]![name] = new JsonObject { ["jobInputType"] = JobTypes.Literal, ["value"] = "" };
                filled |= broken;
            }
        }

        return filled;
    }

    private async Task<CompiledStep?> PipelineAsync(Compilation compilation, Level level, Part part, CancellationToken ct)
    {
        var (node, component, planning) = (part.Node, part.Component, part.Planning);
        if (level.Depth >= Deepest)
        {
            compilation.Findings.Invalid(node.Path, $"pipelines are nested more than {Deepest} deep.");
            return null;
        }

        var places = await planner.OutputsAsync(planning, part.Outputs, compilation.Settings.Datastore, ct);
        var nodes = compilation.Findings.Map(component.Spec, "jobs", $"{node.Path}.componentSpec");
        var late = LatePlanning.Of(part);
        var inner = new Level(part.Id, $"{node.Path}.componentSpec")
        {
            Inputs = LatePlanning.Below(part, late),
            Outputs = places,
            Placed = node.Outputs.Where(pair => pair.Value.Own?.Uri is not null || (pair.Value.Bound is { } bound && level.Placed.Contains(bound))).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal),
            Names = [.. nodes.Select(pair => pair.Key)],
            Depth = level.Depth + 1,
        };
        var at = compilation.Steps.Count;
        await CompileAsync(compilation, inner, nodes, ct);
        var plan = await planner.BareAsync(planning, compilation.Experiment, places, ct) with
        {
            Root = compilation.Planning.Job,
            Pipeline = new PlannedPipeline(compilation.Settings.ContinueOnStepFailure, inner.Written),
            Late = late.Count == 0 ? null : late,
        };
        var document = StepDocument.OfPipeline(node, component, compilation);
        document["inputs"] = StepDocument.Inputs(part.Inputs);
        document["outputs"] = StepDocument.Outputs(places);
        LatePlanning.RemovePlaceholders(document, late.Keys);
        compilation.Add(new PlannedStep(part.Id, level.Job, node.Name) { Plan = plan, Document = document, Needs = part.Needs }, at);
        return new CompiledStep(plan, inner.Late);
    }

    /// <summary>Notes which step writes an output of the pipeline; two would write into each other.</summary>
    public static void CheckWriters(Node node, Level level, ArmId id, Findings findings)
    {
        foreach (var (name, output) in node.Outputs)
        {
            if (output.Bound is { } bound && !level.Written.TryAdd(bound, new StepOutput(id.Value, name)))
            {
                findings.Invalid(output.Path, $"the pipeline's output '{bound}' is written by another step too ({new ArmId(level.Written[bound].Job).Name}).");
            }
        }
    }
}

/// <summary>A node on its way to a step.</summary>
internal sealed record Part(Node Node, Component Component, Planning Planning, ArmId Id)
{
    public required IReadOnlyDictionary<string, Bound> Inputs { get; init; }

    public required IReadOnlyDictionary<string, OutputSpec> Outputs { get; init; }

    public required IReadOnlyCollection<ArmId> Needs { get; init; }

    /// <summary>The inputs that a loop sets in each iteration.</summary>
    public IReadOnlySet<string> Fed { get; init; } = new HashSet<string>(StringComparer.Ordinal);
}

/// <summary>What became of a node; <paramref name="Late"/> are its outputs that a loop below it writes.</summary>
internal sealed record CompiledStep(JobPlan Plan, IReadOnlySet<string> Late);
