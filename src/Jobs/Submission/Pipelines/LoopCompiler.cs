using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Zaffre.Kernel;
using Zaffre.Web;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>A node that repeats its body, which runs the component.</summary>
internal sealed record LoopNode(Node Node, Loop Loop, Component Component)
{
    public Node Body => Loop.Body!;
}

/// <summary>
/// Compiles loops: the body once, as a template whose iterations the server makes while the loop runs. <paramref name="steps"/> compiles what the
/// body is.
/// </summary>
internal sealed class LoopCompiler(JobPlanner planner, Func<Compilation, Level, Part, CancellationToken, Task<CompiledStep?>> steps)
{
    /// <summary>The loop as a step, with its template; null when the body is none.</summary>
    public async Task<CompiledNode?> CompileAsync(Compilation compilation, Level level, LoopNode loop, CancellationToken ct)
    {
        var (node, findings) = (loop.Node, compilation.Findings);
        var id = compilation.NameFor(level.Job, node.Name);
        var outside = loop.Component with { Outputs = Outputs(loop) };
        var items = loop.Loop is ParallelFor each ? await ItemsAsync(compilation, level, loop, each, ct) : null;
        var fed = Fed(loop, items, findings);
        var inputs = Interface.Inputs(loop.Body with { Name = node.Name }, loop.Component, level, findings, fed);
        var outputs = Interface.Outputs(node, outside, level, findings);
        PipelineCompiler.CheckWriters(node, level, id, findings);
        CheckBodyOutputs(loop, findings);
        var planning = compilation.Planning.For(id.Name, node.Path);
        var places = await planner.OutputsAsync(planning, outputs, compilation.Settings.Datastore, ct);
        var token = "x" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5));
        var template = await TemplateAsync(compilation, level with { Job = id }, (loop, inputs, fed, token), ct);
        var planned = new PlannedLoop(token, template);
        planned = loop.Loop is DoWhile repeat
            ? planned with { While = await WhileAsync(planning, loop, repeat, inputs, ct) }
            : planned with { Each = items };
        CheckSize(compilation, planned, $"{node.Path}.items");
        var plan = await planner.BareAsync(planning, compilation.Experiment, places, ct) with
        {
            Root = compilation.Planning.Job,
            Pipeline = new PlannedPipeline(compilation.Settings.ContinueOnStepFailure, new Dictionary<string, StepOutput>(StringComparer.Ordinal)) { Loop = planned },
        };
        var document = StepDocument.OfControl(node, compilation);
        document["inputs"] = StepDocument.Inputs(inputs.Where(pair => pair.Value.From is null).ToDictionary(StringComparer.Ordinal));
        document["outputs"] = StepDocument.Outputs(places);
        compilation.Add(new PlannedStep(id, level.Job, node.Name) { Plan = plan, Document = document, Needs = PipelineCompiler.NeedsOf(node, level) });
        return new CompiledNode(id, outside, inputs, places) { Late = loop.Loop is DoWhile ? [.. outside.Outputs.Keys] : new HashSet<string>(StringComparer.Ordinal) };
    }

    /// <summary>A <c>do_while</c> has its body's outputs; a <c>parallel_for</c> collects them: data in an MLTable, values in a JSON list.</summary>
    private static Dictionary<string, Port> Outputs(LoopNode loop) => loop.Component.Outputs.ToDictionary(
        pair => pair.Key,
        pair => loop.Loop is DoWhile ? pair.Value : new Port(pair.Value.IsPrimitive ? PortTypes.Text : "mltable"),
        StringComparer.Ordinal);

    /// <summary>The inputs of the body that the loop sets.</summary>
    private static HashSet<string> Fed(LoopNode loop, PlannedEach? items, Findings findings)
    {
        if (loop.Loop is not DoWhile repeat)
        {
            return items?.Ports.Keys.ToHashSet(StringComparer.Ordinal) ?? [.. loop.Component.Inputs.Keys];
        }

        var fed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (output, inputs) in repeat.Mapping)
        {
            var path = $"{repeat.Path}.mapping.{output}";
            var source = loop.Component.Outputs.GetValueOrDefault(output);
            if (source is null)
            {
                findings.Invalid(path, $"the body '{loop.Body.Name}' has no output '{output}'; {Interface.Has(loop.Component.Outputs.Keys)}.");
            }

            foreach (var input in inputs)
            {
                if (!loop.Component.Inputs.TryGetValue(input, out var port))
                {
                    findings.Invalid(path, $"the body '{loop.Body.Name}' has no input '{input}'; {Interface.Has(loop.Component.Inputs.Keys)}.");
                }
                else if (!fed.Add(input))
                {
                    findings.Invalid(path, $"the input '{input}' is mapped to by two outputs.");
                }
                else if (source is not null && !PortTypes.Fits(port.Type, source.Type))
                {
                    findings.Invalid(path, $"the output '{output}' is a {source.Type}, and the input '{input}' takes a {port.Type}.");
                }
            }
        }

        if (repeat.Condition is { } condition)
        {
            CheckCondition(loop, condition, $"{repeat.Path}.condition", findings);
        }

        return fed;
    }

    private static void CheckCondition(LoopNode loop, string condition, string path, Findings findings)
    {
        if (!loop.Component.Outputs.TryGetValue(condition, out var port))
        {
            findings.Invalid(path, $"the body '{loop.Body.Name}' has no output '{condition}'; {Interface.Has(loop.Component.Outputs.Keys)}.");
        }
        else if (port.Type is not (PortTypes.Boolean or PortTypes.Text))
        {
            findings.Invalid(path, $"the output '{condition}' is a {port.Type}; a condition is a boolean.");
        }
    }

    private static void CheckBodyOutputs(LoopNode loop, Findings findings)
    {
        if (loop.Loop is DoWhile)
        {
            return;
        }

        foreach (var (name, output) in loop.Body.Outputs.Where(pair => pair.Value.Bound is not null || pair.Value.Own is { Uri: not null } or { AssetName: not null }))
        {
            findings.Invalid(output.Path, $"every iteration would write the same place; the loop collects what they write: bind ${{{{parent.jobs.{loop.Node.Name}.outputs.{name}}}}}, or the loop's output.");
        }
    }

    private async Task<IReadOnlyList<StepTemplate>> TemplateAsync(
        Compilation compilation, Level level, (LoopNode Loop, Dictionary<string, Bound> Inputs, IReadOnlySet<string> Fed, string Token) given, CancellationToken ct)
    {
        var (loop, inputs, fed, token) = given;
        compilation.Tokens.Push(token);
        var id = compilation.NameFor(level.Job, token);
        var at = compilation.Steps.Count;
        var outputs = loop.Component.Outputs.ToDictionary(
            pair => pair.Key,
            pair => new OutputSpec(pair.Value.Type, InputsAndOutputs.OutputModeOf(loop.Body.Outputs.GetValueOrDefault(pair.Key)?.Mode, $"{loop.Body.Path}.outputs.{pair.Key}", compilation.Findings) ?? OutputMode.Mount),
            StringComparer.Ordinal);

        // Where its outputs go is the loop's affair: an iteration writes to places of its own.
        var part = new Part(loop.Body with { Name = $"iteration_{token}", Outputs = new Dictionary<string, NodeOutput>(StringComparer.Ordinal) }, loop.Component, compilation.Planning.For(id.Name, loop.Body.Path), id)
        {
            Inputs = inputs,
            Outputs = outputs,
            Needs = [],
            Fed = fed,
        };
        await steps(compilation, level, part, ct);
        compilation.Tokens.Pop();
        var template = compilation.TakeTemplate(at);
        if (template is [var root, ..])
        {
            root.Document["displayName"] = $"{ZaffreJson.Text(loop.Body.Document["display_name"]) ?? loop.Body.Name} {token}";
        }

        return [.. template.Select(step => new StepTemplate(step.Id.Value, step.Parent.Value, step.Name)
        {
            Plan = step.Plan,
            Rank = step.Rank,
            Document = step.Document,
            Needs = [.. step.Needs.Select(needed => needed.Value)],
        })];
    }

    private static async Task<PlannedDoWhile> WhileAsync(Planning planning, LoopNode loop, DoWhile repeat, Dictionary<string, Bound> inputs, CancellationToken ct)
    {
        var mapping = new Dictionary<string, string>(StringComparer.Ordinal);
        var first = new Dictionary<string, LateInput>(StringComparer.Ordinal);
        foreach (var (output, names) in repeat.Mapping)
        {
            foreach (var name in names.Where(loop.Component.Inputs.ContainsKey))
            {
                var (port, path) = (loop.Component.Inputs[name], $"{loop.Body.Path}.inputs.{name}");
                mapping[name] = output;
                first[name] = await GivenAsync(planning, port, inputs[name], path, ct);
                if (ReferenceEquals(inputs[name], Bound.Absent) && !port.Optional)
                {
                    planning.Findings.Invalid(path, $"the input '{name}' of '{loop.Body.Name}' is required ({port.Type}) and has no value for the first iteration.");
                }
            }
        }

        return new PlannedDoWhile(repeat.Most, repeat.Condition, mapping, first);
    }

    private static async Task<PlannedEach?> ItemsAsync(Compilation compilation, Level level, LoopNode loop, ParallelFor each, CancellationToken ct)
    {
        var (findings, path) = (compilation.Findings, $"{each.Path}.items");
        var ports = loop.Component.Inputs.ToDictionary(pair => pair.Key, pair => new LateInput(pair.Value), StringComparer.Ordinal);
        var items = each.Items;
        if (each.Bound is { } reference)
        {
            var bound = Interface.Fitting(new Port(PortTypes.Text), Interface.Value(new NodeInput(path) { Bound = reference }, level, findings), "items", path, findings);
            if (bound.From is not null)
            {
                // Which inputs the items set is known only later: those that the body is not given.
                var open = ports.Where(pair => !loop.Body.Inputs.ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);
                return new PlannedEach(each.AtOnce ?? int.MaxValue, open) { From = LatePlanning.Of(new Port(PortTypes.Text), bound, path, findings) };
            }

            items = bound.HasValue && LoopItems.Parse(bound.Value, path, findings) is { } parsed ? LoopItems.Read(parsed, path, findings) : null;
            if (items?.SelectMany(item => item.Values).FirstOrDefault(input => input.Bound is not null) is { } unresolved)
            {
                findings.Invalid(unresolved.Path, "an item that comes from an input holds values, not expressions.");
                return null;
            }
        }

        if (items is null)
        {
            return null;
        }

        var set = ports.Where(pair => items[0].ContainsKey(pair.Key)).ToDictionary(StringComparer.Ordinal);
        foreach (var input in items[0].Where(pair => !ports.ContainsKey(pair.Key)))
        {
            findings.Invalid(input.Value.Path, $"the body '{loop.Body.Name}' has no input '{input.Key}'; {Interface.Has(ports.Keys)}.");
        }

        var planned = new List<IReadOnlyDictionary<string, LateInput>>();
        foreach (var item in items)
        {
            planned.Add(await ItemAsync(compilation, level, loop, item, ct));
        }

        return new PlannedEach(each.AtOnce ?? int.MaxValue, set) { Items = planned };
    }

    private static async Task<Dictionary<string, LateInput>> ItemAsync(Compilation compilation, Level level, LoopNode loop, IReadOnlyDictionary<string, NodeInput> item, CancellationToken ct)
    {
        var planned = new Dictionary<string, LateInput>(StringComparer.Ordinal);
        foreach (var (name, input) in item)
        {
            if (loop.Component.Inputs.TryGetValue(name, out var port))
            {
                var bound = Interface.Fitting(port, Interface.Value(input, level, compilation.Findings), $"the input '{name}' of '{loop.Body.Name}'", input.Path, compilation.Findings);
                planned[name] = await GivenAsync(compilation.Planning, port, bound, input.Path, ct);
            }
        }

        return planned;
    }

    /// <summary>A value for an iteration: with its place, when it is data that is known now.</summary>
    private static async Task<LateInput> GivenAsync(Planning planning, Port port, Bound bound, string path, CancellationToken ct)
    {
        var late = LatePlanning.Of(port, bound, path, planning.Findings);
        if (bound.From is not null || bound.Value.Length == 0 && !bound.IsLiteral)
        {
            return late;
        }

        const string name = "it";
        var spec = new InputSpec(bound.IsLiteral ? JobTypes.Literal : bound.Type, bound.Value, bound.IsLiteral ? InputMode.Direct : late.Mode);
        var found = new Findings();
        var inputs = await JobPlanner.InputsAsync(planning with { Findings = found }, new Dictionary<string, InputSpec>(StringComparer.Ordinal) { [name] = spec }, ct);
        if (found.Any)
        {
            planning.Findings.Add(path, found.Combined);
        }

        return late with { Given = inputs[name] };
    }

    private static void CheckSize(Compilation compilation, PlannedLoop loop, string path)
    {
        if (loop.Each?.Items is { } items && Weight(loop) is > Compilation.MostSteps and var steps)
        {
            compilation.Findings.Invalid(path, $"{items.Count} iterations of {steps / items.Count} steps, those of loops within them included, are more than {Compilation.MostSteps} steps.");
        }
    }

    /// <summary>The steps that a loop is known to make; a <c>do_while</c>, and items that a step writes, count once.</summary>
    private static long Weight(PlannedLoop loop) =>
        (loop.Each?.Items?.Count ?? 1) * loop.Template.Sum(step => step.Plan.Pipeline?.Loop is { } inner ? 1 + Weight(inner) : 1);
}
