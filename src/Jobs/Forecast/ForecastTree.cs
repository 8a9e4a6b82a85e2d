using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Storage;
using Zaffre.Web;

namespace Zaffre.Jobs.Forecast;

/// <summary>What is known of the steps of one plan while they are gone through, each after those that it needs. Not thread safe.</summary>
internal sealed class ForecastTree(ContentView view)
{
    private readonly Dictionary<string, ForecastStep> steps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlannedOutput> moved = new(StringComparer.Ordinal);
    private readonly Dictionary<BlobAddress, string> toCome = [];
    private readonly Dictionary<(string Parent, string Name), (string? NotTaken, string? Undecided)> blocks = [];

    public ContentView View => view;

    /// <summary>Every step so far, in order.</summary>
    public List<ForecastStep> Steps { get; } = [];

    public ForecastStep? Find(ArmId job) => steps.GetValueOrDefault(job.Key);

    /// <summary>The way of a step, from the root.</summary>
    public string WayOf(PlannedStep step) => Find(step.Parent) is { } parent ? $"{parent.Way}/{step.Name}" : step.Name;

    public void Keep(ForecastStep step)
    {
        if (!steps.TryAdd(step.Step.Id.Key, step))
        {
            Steps[Steps.FindIndex(known => known.Step.Id.Key == step.Step.Id.Key)] = step;
            steps[step.Step.Id.Key] = step;
            return;
        }

        Steps.Add(step);
    }

    /// <summary>Steps write to these places later; what a pipeline is bound to lies where its step writes.</summary>
    public void Expect(IEnumerable<PlannedStep> planned)
    {
        foreach (var step in planned.Where(step => step.Plan.Pipeline is null or { Loop: not null }))
        {
            foreach (var (name, output) in step.Plan.Outputs)
            {
                toCome[output.Blob] = $"{step.Name}.outputs.{name}";
            }
        }
    }

    /// <summary>The output is one that a step writes later: its name; else null.</summary>
    public string? Coming(BlobAddress place) => toCome.GetValueOrDefault(place);

    /// <summary>The step's outputs are known to lie where another run wrote them.</summary>
    public void Move(PlannedOutput planned, PlannedOutput lies)
    {
        moved[planned.Uri] = lies;
        toCome.Remove(lies.Blob);
        if (lies.Blob == planned.Blob)
        {
            toCome.Remove(planned.Blob);
        }
    }

    /// <summary>The plan with the places of inputs that reused steps have.</summary>
    public JobPlan Settle(JobPlan plan) => plan with
    {
        Inputs = plan.Inputs.ToDictionary(
            pair => pair.Key,
            pair => pair.Value.Type != JobTypes.Literal && moved.TryGetValue(pair.Value.Value, out var place) ? pair.Value with { Value = place.Uri, Blob = place.Blob } : pair.Value,
            StringComparer.Ordinal),
    };

    /// <summary>A condition has told which steps of its pipeline do not run.</summary>
    public void NotTaken(ArmId parent, IEnumerable<string> names, string why)
    {
        foreach (var name in names)
        {
            blocks[(parent.Key, name)] = (why, null);
        }
    }

    /// <summary>A condition decides about these steps, and its value is not known.</summary>
    public void Undecided(ArmId parent, IEnumerable<string> names, string by)
    {
        foreach (var name in names)
        {
            blocks[(parent.Key, name)] = (null, by);
        }
    }

    /// <summary>Why the step does not run, or null; and what decides whether it does.</summary>
    public (string? Skip, IReadOnlyList<string> DecidedBy) Decided(PlannedStep step)
    {
        var deciding = new List<string>(Find(step.Parent)?.DecidedBy ?? []);
        if (Find(step.Parent) is { Fate: Fate.Skip or Fate.Fail } parent)
        {
            return ($"the step '{parent.Way}', which it belongs to, does not run", []);
        }

        if (blocks.TryGetValue((step.Parent.Key, step.Name), out var block))
        {
            if (block.NotTaken is { } why)
            {
                return (why, []);
            }

            deciding.Add(block.Undecided!);
        }

        foreach (var needed in step.Needs.Select(Find).OfType<ForecastStep>())
        {
            if (needed.Fate is Fate.Skip or Fate.Fail)
            {
                return ($"the step '{needed.Way}', which it needs, does not run", []);
            }

            deciding.AddRange(needed.DecidedBy);
        }

        return (null, [.. deciding.Distinct(StringComparer.Ordinal)]);
    }
}
