using System.Globalization;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Jobs.Forecast;

/// <summary>Goes through the steps of a plan as a run would: conditions, loops and nested pipelines included, as far as everything is known.</summary>
internal sealed class ForecastWalk(StepVerdicts verdicts)
{
    private const int MostSteps = Compilation.MostSteps;

    /// <summary>Tells the fate of each step; they come in an order in which each follows those that it needs.</summary>
    public async Task GoAsync(ForecastTree tree, IReadOnlyList<PlannedStep> steps, CancellationToken ct)
    {
        tree.Expect(steps);
        foreach (var step in steps)
        {
            ct.ThrowIfCancellationRequested();
            await StepAsync(tree, step, ct);
        }
    }

    private async Task StepAsync(ForecastTree tree, PlannedStep planned, CancellationToken ct)
    {
        var (skip, decidedBy) = tree.Decided(planned);
        var way = tree.WayOf(planned);
        var step = new ForecastStep(way, planned) { Plan = planned.Plan, DecidedBy = decidedBy, IsTold = planned.Plan.Pipeline is null && planned.Plan.Condition is null };
        if (skip is not null)
        {
            tree.Keep(step with { Fate = Fate.Skip, Summary = $"does not run: {skip}", IsTold = step.IsTold || step.Kind == JobKind.Loop });
            return;
        }

        var (plan, unknown, problem) = ForecastInputs.Settle(tree, planned.Plan);
        step = step with { Plan = tree.Settle(plan), Unknown = unknown };
        if (problem is not null)
        {
            tree.Keep(step with { Fate = Fate.Fail, Summary = $"would fail: {problem}", IsTold = true });
            return;
        }

        if (step.Kind == JobKind.Condition)
        {
            Condition(tree, step);
        }
        else if (step.Kind == JobKind.Loop)
        {
            tree.Keep(step);
            await LoopAsync(tree, step, ct);
        }
        else if (step.Kind == JobKind.Pipeline)
        {
            tree.Keep(step);
        }
        else
        {
            tree.Keep(decidedBy.Count > 0 ? Waits(step, decidedBy) : await verdicts.DecideAsync(tree, step, ct));
        }
    }

    private static ForecastStep Waits(ForecastStep step, IReadOnlyList<string> labels) =>
        step with { Fate = Fate.Depends, DependsOn = labels, Summary = $"depends on {string.Join(", ", labels)}, which decides whether it runs" };

    private static void Condition(ForecastTree tree, ForecastStep step)
    {
        var condition = step.Plan.Condition!;
        var found = condition.From is { } from ? ForecastInputs.Resolve(tree, from) : new ForecastInput(null);
        if (found.Problem is { } problem)
        {
            tree.Keep(step with { Fate = Fate.Fail, Summary = $"would fail: its condition has no value: {problem}", IsTold = true });
            return;
        }

        tree.Keep(step);
        if (found.Unknown is { } label)
        {
            tree.Undecided(step.Step.Parent, condition.True.Concat(condition.False), label);
            return;
        }

        var holds = condition.Value ?? "true".Equals(found.Value?.Value, StringComparison.OrdinalIgnoreCase);
        tree.NotTaken(step.Step.Parent, holds ? condition.False : condition.True, $"the condition of '{step.Way}' is {(holds ? "true" : "false")}");
    }

    private async Task LoopAsync(ForecastTree tree, ForecastStep loop, CancellationToken ct)
    {
        var planned = loop.Plan.Pipeline!.Loop!;
        if (planned.While is { } repeat)
        {
            await RepeatAsync(tree, loop, (planned, repeat), ct);
            return;
        }

        var each = planned.Each!;
        if (each.Items is null)
        {
            var found = ForecastInputs.Resolve(tree, each.From!);
            if (found.Unknown is { } label)
            {
                tree.Keep(Waits(loop, [label]) with { Summary = $"depends on {label}: its iterations are made of it", IsTold = true });
                return;
            }

            var problem = found.Problem;
            IReadOnlyList<IReadOnlyDictionary<string, LateInput>>? items = problem is null ? LoopIteration.ReadItems(found.Value?.Value ?? "", each, out problem) : null;
            if (items is null)
            {
                tree.Keep(loop with { Fate = Fate.Fail, Summary = $"would fail: its items cannot be used: {problem}", IsTold = true });
                return;
            }

            each = each with { Items = items };
        }

        for (var i = 0; i < each.Items!.Count && HasRoom(tree, loop); i++)
        {
            await GoAsync(tree, Iteration(planned, i + 1, each.Items[i]), ct);
        }
    }

    private async Task RepeatAsync(ForecastTree tree, ForecastStep loop, (PlannedLoop Loop, PlannedDoWhile While) planned, CancellationToken ct)
    {
        var (template, repeat) = planned;
        var inputs = repeat.First;
        for (var number = 1; HasRoom(tree, loop); number++)
        {
            var steps = Iteration(template, number, inputs);
            await GoAsync(tree, steps, ct);
            var last = tree.Find(steps[0].Id)!;
            var goesOn = new ForecastInput(null);
            if (repeat.Condition is { } condition)
            {
                goesOn = ForecastInputs.Resolve(tree, new LateInput(new Port(PortTypes.Text)) { Job = last.Step.Id.Value, Name = condition });
            }

            if (goesOn.Unknown is { } label)
            {
                tree.Keep(loop with { Fate = Fate.Depends, DependsOn = [label], Summary = $"depends on {label}: whether another iteration follows", IsTold = true });
                return;
            }

            if (number >= repeat.Most || goesOn.Problem is not null || (repeat.Condition is not null && !"true".Equals(goesOn.Value?.Value, StringComparison.OrdinalIgnoreCase)))
            {
                tree.Keep(loop with { Last = last });
                return;
            }

            inputs = LoopIteration.After(repeat, last.Step.Id);
        }
    }

    private static IReadOnlyList<PlannedStep> Iteration(PlannedLoop loop, int number, IReadOnlyDictionary<string, LateInput> inputs) =>
        LoopIteration.Of(loop, number.ToString(CultureInfo.InvariantCulture), inputs);

    private static bool HasRoom(ForecastTree tree, ForecastStep loop)
    {
        if (tree.Steps.Count < MostSteps)
        {
            return true;
        }

        tree.Keep(loop with { Fate = Fate.Depends, DependsOn = [loop.Way], Summary = $"goes on beyond the {MostSteps} steps that a plan tells", IsTold = true });
        return false;
    }
}
