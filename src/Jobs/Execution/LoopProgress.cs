using System.Globalization;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// Makes the iterations of loops, in the unit that starts the loop or ends the iteration before. How far a loop is, is the number of its iterations'
/// rows; nothing else is held.
/// </summary>
internal sealed class LoopProgress(JobBirth birth, JobOptions options)
{
    /// <summary>Why a loop ends that cannot go on; beside the names of the reasons to stop. The message stands where who stopped it does.</summary>
    public const string Failed = "LoopFailed";

    /// <summary>The next iterations, not started yet; none when those that live are enough, or no other is to come.</summary>
    public IReadOnlyList<JobRow> Next(WriteScope scope, JobRow loop)
    {
        if (JobWrites.Find(scope, loop.JobId) is not { Stop: null, Status: JobStatus.Running } present || present.ReadPlan().Pipeline?.Loop is not { } planned)
        {
            return [];
        }

        // Loops within loops multiply, and how often is known only here.
        if (StepWrites.CountTree(scope, new ArmId(JobRow.WorkspaceOf(present.JobId).Child("jobs", present.ReadPlan().Root ?? present.Name).Value)) is var steps && steps >= options.MostSteps)
        {
            Fail(scope, present, $"its pipeline has come to {steps} steps, and {options.MostSteps} are the most");
            return [];
        }

        return planned switch
        {
            { While: { } repeat } => Repeat(scope, present, planned, repeat),
            { Each: { Items: not null } each } => Spread(scope, present, planned, each),
            { Each: { } each } => Expand(scope, present, planned, each),
            _ => [],
        };
    }

    private JobRow[] Repeat(WriteScope scope, JobRow loop, PlannedLoop planned, PlannedDoWhile repeat)
    {
        var (made, open) = StepWrites.Count(scope, loop.JobId);
        if (made == 0)
        {
            return [Make(scope, loop, planned, 1, repeat.First)];
        }

        if (open > 0 || StepWrites.Last(scope, loop.JobId) is not { Status: JobStatus.Completed } last || !GoesOn(scope, loop, repeat, last))
        {
            return [];
        }

        if (made >= repeat.Most)
        {
            StepWrites.AddLine(scope, loop.JobId.Key, $"The loop ends after {made} iterations, which is its limit (max_iteration_count).");
            return [];
        }

        return [Make(scope, loop, planned, made + 1, LoopIteration.After(repeat, last.JobId))];
    }

    private static bool GoesOn(WriteScope scope, JobRow loop, PlannedDoWhile repeat, JobRow last)
    {
        if (repeat.Condition is not { } condition)
        {
            return true;
        }

        if (StepWrites.Values(scope, last.JobId).FirstOrDefault(value => value.Name == condition).Value is not { } value)
        {
            Fail(scope, loop, $"the iteration {last.Name} wrote no value for the condition '{condition}'");
            return false;
        }

        return value.Equals("true", StringComparison.OrdinalIgnoreCase);
    }

    private List<JobRow> Spread(WriteScope scope, JobRow loop, PlannedLoop planned, PlannedEach each)
    {
        var (made, open) = StepWrites.Count(scope, loop.JobId);
        var begun = new List<JobRow>();
        for (; made < each.Items!.Count && open < each.AtOnce; made++, open++)
        {
            begun.Add(Make(scope, loop, planned, made + 1, each.Items[made]));
        }

        return begun;
    }

    /// <summary>The items of a loop that came from a step: read once, and kept in its plan.</summary>
    private List<JobRow> Expand(WriteScope scope, JobRow loop, PlannedLoop planned, PlannedEach each)
    {
        var (value, problem) = LateInputs.Resolve(scope, each.From!);
        List<Dictionary<string, LateInput>>? items = null;
        if (problem is not null || (items = LoopIteration.ReadItems(value!.Value, each, out problem)) is null)
        {
            Fail(scope, loop, $"its items cannot be used: {problem}");
            return [];
        }

        if (items.Count * (long)planned.Template.Count > Compilation.MostSteps)
        {
            Fail(scope, loop, $"{items.Count} iterations of {planned.Template.Count} steps are more than {Compilation.MostSteps} steps");
            return [];
        }

        var settled = each with { Items = items };
        var plan = loop.ReadPlan();
        StepWrites.SetPlan(scope, loop.JobId, plan with { Pipeline = plan.Pipeline! with { Loop = planned with { Each = settled } } }, document: null);
        return Spread(scope, loop, planned, settled);
    }

    private static void Fail(WriteScope scope, JobRow loop, string why)
    {
        var message = $"The loop '{loop.Step}' cannot go on: {why}.";
        StepWrites.SetStop(scope, loop.JobId, Failed, message);
        StepWrites.AddLine(scope, loop.JobId.Key, message);
    }

    /// <summary>The rows of an iteration: the template under names of its own, with the inputs that the loop sets.</summary>
    private JobRow Make(WriteScope scope, JobRow loop, PlannedLoop planned, int number, IReadOnlyDictionary<string, LateInput> inputs)
    {
        var steps = LoopIteration.Of(planned, Suffix(scope, planned, number), inputs);
        foreach (var step in steps)
        {
            birth.Step(scope, step);
        }

        return JobWrites.Find(scope, steps[0].Id)!;
    }

    /// <summary>The iteration's number; with something behind it when somebody has given a job that name.</summary>
    private static string Suffix(WriteScope scope, PlannedLoop planned, int number)
    {
        var plain = number.ToString(CultureInfo.InvariantCulture);
        var suffix = plain;
        for (var i = 2; planned.Template.Any(step => JobWrites.Find(scope, new ArmId(step.Id.Replace(planned.Token, suffix, StringComparison.Ordinal))) is not null); i++)
        {
            suffix = string.Create(CultureInfo.InvariantCulture, $"{plain}_{i}");
        }

        return suffix;
    }
}
