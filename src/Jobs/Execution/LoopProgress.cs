using System.Globalization;
using System.Text.Json;
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

        var mapped = repeat.Mapping.ToDictionary(pair => pair.Key, pair => repeat.First[pair.Key] with { Job = last.Id, Name = pair.Value, OfInput = false, Given = null }, StringComparer.Ordinal);
        return [Make(scope, loop, planned, made + 1, mapped)];
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
        if (problem is not null || (items = ReadItems(value!.Value, each, out problem)) is null)
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

    private static List<Dictionary<string, LateInput>>? ReadItems(string text, PlannedEach each, out string? problem)
    {
        var findings = new Findings();
        var items = LoopItems.Parse(text, "items", findings) is { } json ? LoopItems.Read(json, "items", findings) : null;
        var read = new List<Dictionary<string, LateInput>>();
        foreach (var (name, input) in (items ?? []).SelectMany(item => item))
        {
            if (!each.Ports.TryGetValue(name, out var open))
            {
                findings.Invalid(input.Path, $"items may set {string.Join(", ", each.Ports.Keys)}, not '{name}'");
            }
            else if (input.Own is not { Type: JobTypes.Literal } own || !open.Port.IsPrimitive)
            {
                findings.Invalid(input.Path, "items that a step makes hold values only, not data");
            }
            else if (open.Port.Problem(own.Value) is { } reason)
            {
                findings.Invalid(input.Path, reason);
            }
        }

        if (findings.Any)
        {
            problem = $"{findings.Combined.Target}: {findings.Combined.Message.TrimEnd('.')}";
            return null;
        }

        problem = null;
        foreach (var item in items!)
        {
            read.Add(item.ToDictionary(
                pair => pair.Key,
                pair => each.Ports[pair.Key] with { Given = new PlannedInput(JobTypes.Literal, InputMode.Direct) { Value = pair.Value.Own!.Value } },
                StringComparer.Ordinal));
        }

        return read;
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
        var text = JsonSerializer.Serialize(planned.Template, JobsJson.Default.IReadOnlyListStepTemplate);
        var steps = JsonSerializer.Deserialize(text.Replace(planned.Token, Suffix(scope, planned, number), StringComparison.Ordinal), JobsJson.Default.IReadOnlyListStepTemplate)!;
        var root = steps[0];
        var late = new Dictionary<string, LateInput>(root.Plan.Late ?? new Dictionary<string, LateInput>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (name, input) in inputs)
        {
            late[name] = input;
        }

        foreach (var step in steps)
        {
            birth.Step(scope, new PlannedStep(new ArmId(step.Id), new ArmId(step.Parent), step.Name)
            {
                Plan = ReferenceEquals(step, root) && late.Count > 0 ? step.Plan with { Late = late } : step.Plan,
                Rank = step.Rank,
                Document = step.Document,
                Needs = [.. step.Needs.Select(needed => new ArmId(needed))],
            });
        }

        return JobWrites.Find(scope, new ArmId(root.Id))!;
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
