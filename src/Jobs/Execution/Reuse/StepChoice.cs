using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>What becomes of a step that waits for nothing: it runs, takes the outputs of <paramref name="Original"/>, or cannot be decided yet (no decision).</summary>
internal sealed record Choice(Decision? Decision, JobRow? Original)
{
    /// <summary>Something must be looked at first, outside of a unit.</summary>
    public static readonly Choice Hold = new(null, null);

    /// <summary>The key of which there is a run to reuse whose outputs nobody has looked at yet; else null.</summary>
    public string? Unseen { get; init; }
}

/// <summary>Decides steps inside a unit, from rows and memory only.</summary>
internal static class StepChoice
{
    private const string FromOlder = "the pipeline was accepted by an earlier version of the server";

    public static Choice Of(WriteScope scope, JobRow step, ReuseMemory memory)
    {
        var plan = Settle(scope, step);
        if (plan.Reuse is not { } rule)
        {
            return Run(new Decision(Reason.NotReusable) { Differences = [new StepDifference("run", null, FromOlder)] });
        }

        var known = KnownFacts.Of(plan, memory.Find);
        var complete = known.Missing.Count == 0;
        if (!rule.Deterministic)
        {
            return Run(new Decision(Reason.NotDeterministic) { Facts = complete ? known.Facts : null });
        }

        if (known.Unseen is { } unseen)
        {
            return Run(new Decision(Reason.NotReusable) { Differences = [new StepDifference("input", null, unseen)], Facts = complete ? known.Facts : null });
        }

        if (rule.Forced)
        {
            return Run(new Decision(Reason.Forced) { Facts = complete ? known.Facts : null, Key = complete ? known.Facts.Key : null });
        }

        return complete ? ByKey(scope, step, known.Facts, memory) : Choice.Hold;
    }

    private static Choice ByKey(WriteScope scope, JobRow step, StepFacts facts, ReuseMemory memory)
    {
        var key = facts.Key;
        Decision? refused = null;
        foreach (var candidate in ReuseWrites.Candidates(scope, key))
        {
            switch (memory.Verified(key, candidate))
            {
                case null:
                    return new Choice(null, null) { Unseen = key };
                case "" when StepWrites.FindByKey(scope, candidate) is { Status: JobStatus.Completed } original:
                    return new Choice(new Decision(Reason.Reused) { Key = key, Compared = candidate, Facts = facts }, original);
                case var problem:
                    refused ??= new Decision(Reason.OutputGone) { Key = key, Compared = candidate, Facts = facts, Differences = [new StepDifference("output", null, problem)] };
                    break;
            }
        }

        return Run(refused ?? Compared(facts, ReuseWrites.Nearest(scope, step, step.ReadPlan().Reuse?.Component)) with { Key = key });
    }

    /// <summary>The decision to run what no earlier run has seen, against the nearest one.</summary>
    public static Decision Compared(StepFacts facts, EarlierRun? earlier)
    {
        if (earlier?.ReadFacts() is not { } before)
        {
            return new Decision(Reason.FirstRun) { Facts = facts };
        }

        var differences = StepDifferences.Between(before, facts);
        if (differences.Count > 0)
        {
            return new Decision(Reason.Changed) { Facts = facts, Compared = earlier.Job, Differences = differences };
        }

        var name = new ArmId(earlier.Job).Name;
        var text = earlier.Status == JobStatus.Completed
            ? $"the inputs of the earlier run {name} changed while it ran"
            : $"the earlier run {name} is {earlier.Status}; only completed runs are reused";
        return new Decision(Reason.DidNotComplete) { Facts = facts, Compared = earlier.Job, Differences = [new StepDifference("run", null, text)] };
    }

    /// <summary>Inputs that are outputs of reused steps lie where the originals wrote them.</summary>
    private static JobPlan Settle(WriteScope scope, JobRow step)
    {
        var plan = step.ReadPlan();
        if (plan.Root is null || plan.Inputs.Count == 0)
        {
            return plan;
        }

        var root = ReuseWrites.RootOf(step)!;
        var moved = new Dictionary<string, PlannedInput>(StringComparer.Ordinal);
        foreach (var (name, input) in plan.Inputs.Where(pair => pair.Value.Type != JobTypes.Literal))
        {
            if (ReuseWrites.Moved(scope, root, input.Value) is { } place)
            {
                moved[name] = input with { Value = place.Uri, Blob = place.Blob };
            }
        }

        if (moved.Count == 0)
        {
            return plan;
        }

        plan = plan with { Inputs = plan.Inputs.ToDictionary(pair => pair.Key, pair => moved.GetValueOrDefault(pair.Key) ?? pair.Value, StringComparer.Ordinal) };
        var document = StepWrites.Document(scope, step.JobId);
        foreach (var (name, input) in moved)
        {
            if (document?["inputs"]?[name] is JsonObject shown && shown.ContainsKey("uri"))
            {
                shown["uri"] = input.Value;
            }
        }

        StepWrites.SetPlan(scope, step.JobId, plan, document);
        return plan;
    }

    private static Choice Run(Decision decision) => new(decision, null);
}
