using Dapper;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Jobs.Submission;
using Zaffre.Web;

namespace Zaffre.Jobs.Forecast;

/// <summary>Decides what a step of a plan would do, by the rules of <see cref="StepChoice"/>, from rows and contents as they are now. Changes nothing.</summary>
internal sealed class StepVerdicts(IDatabase database, JobTable jobs, DifferenceDetails details)
{
    /// <summary>The step with its fate. Its plan is settled, and whether it runs at all is known.</summary>
    public async Task<ForecastStep> DecideAsync(ForecastTree tree, ForecastStep step, CancellationToken ct)
    {
        if (step.Plan.Reuse is not { } rule)
        {
            return step with { Summary = Sentences.ByItself };
        }

        var waits = new List<string>(step.Unknown.Values);
        foreach (var place in Foresight.PlacesOf(step.Plan, new Dictionary<string, PlannedOutput>(StringComparer.Ordinal)).Distinct())
        {
            if (tree.Coming(place) is { } coming)
            {
                waits.Add(coming);
            }
            else if (await tree.View.LookAsync(place, ct) is null)
            {
                waits.Add(place == step.Plan.Code ? "its code, which was never read and is large" : $"the data at {place.Name}, which was never read and is large");
            }
        }

        var known = KnownFacts.Of(step.Plan, place => tree.Coming(place) is null ? tree.View.Find(place) : null);
        return (rule, known.Unseen) switch
        {
            ({ Deterministic: false }, _) => Told(step, new Decision(Reason.NotDeterministic), known.Facts),
            (_, { } unseen) => Told(step, new Decision(Reason.NotReusable) { Differences = [new StepDifference("input", null, unseen)] }, known.Facts),
            ({ Forced: true }, _) => Told(step, new Decision(Reason.Forced), known.Facts),
            _ when waits.Count > 0 => await WaitAsync(tree, step, known.Facts, [.. waits.Distinct(StringComparer.Ordinal)], ct),
            _ => await ByKeyAsync(tree, step, known.Facts, ct),
        };
    }

    private static ForecastStep Told(ForecastStep step, Decision decision, StepFacts facts) => step with
    {
        Fate = Fate.Run,
        Reason = decision.Reason,
        Differences = decision.Differences,
        Compared = decision.Compared,
        Summary = Sentences.Of(decision.Reason, decision.Compared, decision.Differences),
        Facts = facts,
    };

    /// <summary>What is known to differ is told beside what is waited for.</summary>
    private async Task<ForecastStep> WaitAsync(ForecastTree tree, ForecastStep step, StepFacts facts, string[] waits, CancellationToken ct)
    {
        var earlier = await NearestAsync(step, ct);
        var decision = StepChoice.Compared(facts, earlier);
        var open = step.Plan.Inputs.Where(pair => pair.Value.Blob is { } place && tree.Coming(place) is not null).Select(pair => pair.Key).Concat(step.Unknown.Keys).ToHashSet(StringComparer.Ordinal);
        IReadOnlyList<StepDifference> differences = decision.Reason == Reason.Changed ? [.. decision.Differences.Where(difference => difference.What != "input" || !open.Contains(difference.Name!))] : [];
        if (step.Unknown.Count > 0)
        {
            // Its optional blocks are not decided yet.
            differences = [.. differences.Where(difference => difference.What != "command")];
        }

        differences = await details.CompleteAsync(differences, earlier?.ReadFacts(), facts, ct, tree.View);
        var changed = differences.Count > 0 ? "; " + string.Join("; ", differences.Select(difference => difference.Text)) : "";
        return step with
        {
            Fate = Fate.Depends,
            DependsOn = waits,
            Differences = differences,
            Compared = differences.Count > 0 ? decision.Compared : null,
            Summary = $"depends on {string.Join(", ", waits)}{changed}",
            Facts = facts,
        };
    }

    private async Task<ForecastStep> ByKeyAsync(ForecastTree tree, ForecastStep step, StepFacts facts, CancellationToken ct)
    {
        var key = facts.Key;
        Decision? refused = null;
        foreach (var candidate in await database.ReadAsync(connection => connection.Query<string>(ReuseWrites.CandidatesSql, new { key }).AsList(), ct))
        {
            if (await jobs.FindAsync(new ArmId(candidate), ct) is not { Status: JobStatus.Completed } run)
            {
                continue;
            }

            switch (await EarlierOutputs.ProblemAsync(jobs, run, place => tree.View.LookAsync(place, ct), ct))
            {
                case "":
                    return await ReuseAsync(tree, step with { Facts = facts }, run, ct);
                case null:
                    return await WaitAsync(tree, step, facts, [$"the outputs of the job {run.Name}, which are large and changed since they were written"], ct);
                case { } problem:
                    refused ??= new Decision(Reason.OutputGone) { Compared = candidate, Differences = [new StepDifference("output", null, problem)] };
                    break;
            }
        }

        var earlier = refused is null ? await NearestAsync(step, ct) : null;
        var decision = refused ?? StepChoice.Compared(facts, earlier);
        return Told(step, decision with { Differences = await details.CompleteAsync(decision.Differences, earlier?.ReadFacts(), facts, ct, tree.View) }, facts);
    }

    private async Task<ForecastStep> ReuseAsync(ForecastTree tree, ForecastStep step, JobRow run, CancellationToken ct)
    {
        var places = run.ReadPlan().Outputs;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var output in await jobs.OutputsAsync(run.JobId, ct))
        {
            if (step.Plan.Outputs.TryGetValue(output.Name, out var planned) && places.TryGetValue(output.Name, out var lies))
            {
                tree.Move(planned, lies);
            }

            if (output.Value is { } value)
            {
                values[output.Name] = value;
            }
        }

        var original = run.ReusedFrom ?? run.JobId.Key;
        return step with
        {
            Fate = Fate.Reuse,
            Reason = Reason.Reused,
            Compared = original,
            Values = values,
            Summary = Sentences.Of(Reason.Reused, original, []),
        };
    }

    private async Task<EarlierRun?> NearestAsync(ForecastStep step, CancellationToken ct)
    {
        var component = step.Plan.Reuse?.Component;
        var same = new { node = ReuseWrites.NodeOf(step.Step.Id, step.Plan, step.Step.Name), component, job = step.Step.Id.Key };
        return await database.ReadAsync(connection => ReuseWrites.Nearest(component, sql => connection.Query<EarlierRun>(sql, same).AsList()), ct);
    }
}
