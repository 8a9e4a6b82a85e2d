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

    /// <summary>Compiles the nodes of a level into the compilation's steps.</summary>
    public async Task CompileAsync(Compilation compilation, Level level, JsonObject jobs, CancellationToken ct)
    {
        var path = $"{level.Path}.jobs";
        var findings = compilation.Findings;
        if (jobs.Count == 0)
        {
            findings.Invalid(path, "the pipeline has no steps.");
        }

        foreach (var node in StepOrder.Sort(NodeReader.Read(jobs, path, findings), path, findings))
        {
            if (!compilation.HasRoom(path))
            {
                return;
            }

            if (node.ComponentId is { } reference && await compilation.ComponentAsync(reference, $"{node.Path}.componentId", ct) is { } component)
            {
                level.Nodes[node.Name] = await NodeAsync(compilation, level, node, component, ct);
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

    private async Task<CompiledNode> NodeAsync(Compilation compilation, Level level, Node node, Component component, CancellationToken ct)
    {
        var findings = compilation.Findings;
        var id = compilation.NameFor(level.Job, node.Name);
        var inputs = Interface.Inputs(node, component, level, findings);
        var outputs = Interface.Outputs(node, component, level, findings);
        CheckWriters(node, level, id, findings);
        var planning = compilation.Planning.For(id.Name, node.Path);
        var needs = StepOrder.Sources(node).Distinct(StringComparer.Ordinal).Where(level.Nodes.ContainsKey).Select(name => level.Nodes[name].Id).ToArray();
        var step = component.Kind == JobKind.Pipeline
            ? await PipelineAsync(compilation, level, new Part(node, component, planning, id) { Inputs = inputs, Outputs = outputs, Needs = needs }, ct)
            : await CommandAsync(compilation, level, new Part(node, component, planning, id) { Inputs = inputs, Outputs = outputs, Needs = needs }, ct);
        return new CompiledNode(id, component, inputs, step?.Outputs ?? new Dictionary<string, PlannedOutput>(StringComparer.Ordinal));
    }

    private async Task<JobPlan?> CommandAsync(Compilation compilation, Level level, Part part, CancellationToken ct)
    {
        var (node, component, planning) = (part.Node, part.Component, part.Planning);
        var absent = part.Inputs.Where(pair => ReferenceEquals(pair.Value, Bound.Absent)).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);
        var before = compilation.Findings.Count;
        var command = CommandTemplate.Resolve(ZaffreJson.Text(component.Spec["command"]) ?? "", component, absent, $"{node.Path}.command", compilation.Findings);
        var document = StepDocument.OfCommand(node, component, compilation, command);
        document["inputs"] = StepDocument.Inputs(part.Inputs);
        document["outputs"] = new JsonObject(part.Outputs.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)new JsonObject { ["jobOutputType"] = pair.Value.Type })));
        var broken = FillGaps(document, part.Inputs, compilation.Findings.Count > before);
        var spec = CommandReader.Read(document, planning.Findings);
        var plan = await planner.PlanAsync(planning, spec with { Outputs = part.Outputs, Datastore = compilation.Settings.Datastore }, ct);
        if (plan is null || broken || compilation.Findings.Count > before)
        {
            // The places of its outputs all the same, so that what reads them is checked; what is wrong with them is reported already.
            var quiet = planning with { Findings = new Findings() };
            return plan ?? await planner.BareAsync(quiet, compilation.Experiment, await planner.OutputsAsync(quiet, part.Outputs, compilation.Settings.Datastore, ct), ct);
        }

        StepDocument.Resolve(document, plan);
        document["componentId"] = component.Id;
        compilation.Steps.Add(new PlannedStep(part.Id, level.Job, node.Name)
        {
            Plan = plan with { Root = compilation.Planning.Job, Pins = null },
            Rank = spec.Rank,
            Document = document,
            Needs = part.Needs,
        });
        return plan;
    }

    /// <summary>Inputs that are wrong, and reported as such, get a place in the document, so that the rest of it can be checked; true when there are any.</summary>
    private static bool FillGaps(JsonObject document, IReadOnlyDictionary<string, Bound> inputs, bool alsoAbsent)
    {
        var filled = false;
        foreach (var (name, bound) in inputs)
        {
            var broken = ReferenceEquals(bound, Bound.Broken) || bound is { HasValue: true, IsLiteral: false, Value.Length: 0 };
            if (broken || (alsoAbsent && !bound.HasValue))
            {
                document["inputs"]![name] = new JsonObject { ["jobInputType"] = JobTypes.Literal, ["value"] = "" };
                filled |= broken;
            }
        }

        return filled;
    }

    private async Task<JobPlan?> PipelineAsync(Compilation compilation, Level level, Part part, CancellationToken ct)
    {
        var (node, component, planning) = (part.Node, part.Component, part.Planning);
        if (level.Depth >= Deepest)
        {
            compilation.Findings.Invalid(node.Path, $"pipelines are nested more than {Deepest} deep.");
            return null;
        }

        var places = await planner.OutputsAsync(planning, part.Outputs, compilation.Settings.Datastore, ct);
        var nodes = compilation.Findings.Map(component.Spec, "jobs", $"{node.Path}.componentSpec");
        var inner = new Level(part.Id, $"{node.Path}.componentSpec")
        {
            Inputs = part.Inputs,
            Outputs = places,
            Names = [.. nodes.Select(pair => pair.Key)],
            Depth = level.Depth + 1,
        };
        var at = compilation.Steps.Count;
        await CompileAsync(compilation, inner, nodes, ct);
        var plan = await planner.BareAsync(planning, compilation.Experiment, places, ct) with
        {
            Root = compilation.Planning.Job,
            Pipeline = new PlannedPipeline(compilation.Settings.ContinueOnStepFailure, inner.Written),
        };
        var document = StepDocument.OfPipeline(node, component, compilation);
        document["inputs"] = StepDocument.Inputs(part.Inputs);
        document["outputs"] = StepDocument.Outputs(places);
        compilation.Steps.Insert(at, new PlannedStep(part.Id, level.Job, node.Name) { Plan = plan, Document = document, Needs = part.Needs });
        return plan;
    }

    /// <summary>Notes which step writes an output of the pipeline; two would write into each other.</summary>
    private static void CheckWriters(Node node, Level level, ArmId id, Findings findings)
    {
        foreach (var (name, output) in node.Outputs)
        {
            if (output.Bound is { } bound && !level.Written.TryAdd(bound, new StepOutput(id.Value, name)))
            {
                findings.Invalid(output.Path, $"the pipeline's output '{bound}' is written by another step too ({new ArmId(level.Written[bound].Job).Name}).");
            }
        }
    }

    /// <summary>A node on its way to a step.</summary>
    private sealed record Part(Node Node, Component Component, Planning Planning, ArmId Id)
    {
        public required IReadOnlyDictionary<string, Bound> Inputs { get; init; }

        public required IReadOnlyDictionary<string, OutputSpec> Outputs { get; init; }

        public required IReadOnlyCollection<ArmId> Needs { get; init; }
    }
}
