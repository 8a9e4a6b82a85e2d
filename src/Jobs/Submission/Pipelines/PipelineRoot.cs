using System.Text.Json.Nodes;
using Zaffre.Jobs.Data;
using Zaffre.Kernel;

namespace Zaffre.Jobs.Submission.Pipelines;

/// <summary>Compiles a submitted pipeline: its own inputs, outputs and settings, then its nodes.</summary>
internal sealed class PipelineRoot(JobPlanner planner, PipelineCompiler compiler)
{
    private const string Path = "properties";

    /// <summary>The pipeline's plan and its steps; of use only when the findings stay empty.</summary>
    public async Task<(JobPlan Plan, IReadOnlyList<PlannedStep> Steps)> CompileAsync(Planning planning, JsonObject properties, IReadOnlySet<string> taken, CancellationToken ct)
    {
        var findings = planning.Findings;
        var experiment = CommandReader.Limited(properties, "experimentName", findings) ?? "Default";
        var settings = await SettingsAsync(planning, properties, ct);
        var compilation = new Compilation(planning, settings, experiment, taken);
        var (inputs, outputs, jobs) = await ReadAsync(compilation, properties, ct);
        var places = await planner.OutputsAsync(planning, outputs, settings.Datastore, ct);
        var level = new Level(planning.Workspace.Child("jobs", planning.Job), Path)
        {
            Inputs = inputs,
            Outputs = places,
            Placed = outputs.Where(pair => pair.Value.Uri is not null).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal),
            Names = [.. jobs.Select(pair => pair.Key)],
        };
        await compiler.CompileAsync(compilation, level, jobs, ct);
        var plan = await planner.BareAsync(planning, experiment, places, ct) with
        {
            Pipeline = new PlannedPipeline(settings.ContinueOnStepFailure, level.Written),
            Pins = planning.Known.Pins,
        };
        return (plan, compilation.Steps);
    }

    /// <summary>A compute that does not exist is reported here, once, and not for every step that would run on it.</summary>
    private static async Task<PipelineSettings> SettingsAsync(Planning planning, JsonObject properties, CancellationToken ct)
    {
        var settings = PipelineSettings.Read(properties, planning.Findings);
        settings = settings with { ForceRerun = settings.ForceRerun || planning.Repeats is not null };
        return settings.Compute is not null && await JobPlanner.ComputeAsync(planning, settings.Compute, "properties.settings.default_compute", ct) is null
            ? settings with { Compute = null }
            : settings;
    }

    private static async Task<(IReadOnlyDictionary<string, Bound> Inputs, IReadOnlyDictionary<string, OutputSpec> Outputs, JsonObject Jobs)> ReadAsync(
        Compilation compilation, JsonObject properties, CancellationToken ct)
    {
        var findings = compilation.Findings;
        var given = CommandReader.ReadEach(properties, "inputs", findings, (input, path) => InputsAndOutputs.ReadInput(input, path, findings));
        var outputs = CommandReader.ReadEach(CommandReader.WithoutDefault(properties), "outputs", findings, (output, path) => InputsAndOutputs.ReadOutput(output, path, findings));
        var inputs = await BoundAsync(compilation.Planning, properties, given, ct);
        var jobs = findings.Map(properties, "jobs", Path);
        if (jobs.Count > 0 || CommandReader.Empty(findings.Scalar(properties, "componentId", Path)) is not { } reference)
        {
            return (inputs, outputs, jobs);
        }

        const string at = "properties.componentId";
        if (await compilation.ComponentAsync(reference, at, ct) is not { } component)
        {
            return (inputs, outputs, []);
        }

        if (component.Kind != JobKind.Pipeline)
        {
            findings.Invalid(at, "the component of a pipeline job must be a pipeline component.");
            return (inputs, outputs, []);
        }

        return (OfComponent(compilation, component, properties, inputs), DeclaredOutputs(component, outputs, findings), findings.Map(component.Spec, "jobs", $"{at}.componentSpec"));
    }

    /// <summary>The job stands to the component as a node does.</summary>
    private static Dictionary<string, Bound> OfComponent(Compilation compilation, Component component, JsonObject properties, IReadOnlyDictionary<string, Bound> inputs)
    {
        var level = new Level(compilation.Planning.Workspace.Child("jobs", compilation.Planning.Job), Path)
        {
            Inputs = inputs,
            Outputs = new Dictionary<string, PlannedOutput>(StringComparer.Ordinal),
            Names = [],
        };
        var node = new Node(compilation.Planning.Job, Path, properties)
        {
            Inputs = inputs.Keys.ToDictionary(name => name, name => new NodeInput($"{Path}.inputs.{name}") { Bound = new Reference(null, false, name) }, StringComparer.Ordinal),
        };
        return Interface.Inputs(node, component, level, compilation.Findings);
    }

    private static Dictionary<string, OutputSpec> DeclaredOutputs(Component component, IReadOnlyDictionary<string, OutputSpec> given, Findings findings)
    {
        var node = new Node("", Path, [])
        {
            Outputs = given.ToDictionary(pair => pair.Key, pair => new NodeOutput($"{Path}.outputs.{pair.Key}") { Own = pair.Value }, StringComparer.Ordinal),
        };
        return Interface.Outputs(node, component, level: null, findings);
    }

    /// <summary>The pipeline's inputs; one that does not resolve is reported here, and not for every step that reads it.</summary>
    private static async Task<Dictionary<string, Bound>> BoundAsync(Planning planning, JsonObject properties, IReadOnlyDictionary<string, InputSpec> given, CancellationToken ct)
    {
        var inputs = new Dictionary<string, Bound>(StringComparer.Ordinal);
        foreach (var (name, _) in properties["inputs"] as JsonObject ?? [])
        {
            inputs[name] = Bound.Broken;
        }

        foreach (var (name, spec) in given)
        {
            var before = planning.Findings.Count;
            await JobPlanner.InputsAsync(planning, new Dictionary<string, InputSpec>(StringComparer.Ordinal) { [name] = spec }, ct);
            if (planning.Findings.Count == before)
            {
                inputs[name] = new Bound(spec.Type, spec.Value) { Mode = ZaffreJson.Text(properties["inputs"]![name]!["mode"]) };
            }
        }

        return inputs;
    }
}
