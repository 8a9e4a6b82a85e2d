using System.Text.Json;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>The steps of an iteration, made of its loop's template.</summary>
internal static class LoopIteration
{
    /// <summary>The iteration itself and what is below it; <paramref name="suffix"/> tells it from the others, <paramref name="inputs"/> are those that the loop sets.</summary>
    public static IReadOnlyList<PlannedStep> Of(PlannedLoop planned, string suffix, IReadOnlyDictionary<string, LateInput> inputs)
    {
        var text = JsonSerializer.Serialize(planned.Template, JobsJson.Default.IReadOnlyListStepTemplate);
        var steps = JsonSerializer.Deserialize(text.Replace(planned.Token, suffix, StringComparison.Ordinal), JobsJson.Default.IReadOnlyListStepTemplate)!;
        var root = steps[0];
        var late = new Dictionary<string, LateInput>(root.Plan.Late ?? new Dictionary<string, LateInput>(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (name, input) in inputs)
        {
            late[name] = input;
        }

        return
        [
            .. steps.Select(step => new PlannedStep(new ArmId(step.Id), new ArmId(step.Parent), step.Name)
            {
                Plan = ReferenceEquals(step, root) && late.Count > 0 ? step.Plan with { Late = late } : step.Plan,
                Rank = step.Rank,
                Document = step.Document,
                Needs = [.. step.Needs.Select(needed => new ArmId(needed))],
            }),
        ];
    }

    /// <summary>The inputs of the next iteration of a <c>do_while</c>, which come from the outputs of <paramref name="last"/>.</summary>
    public static Dictionary<string, LateInput> After(PlannedDoWhile repeat, ArmId last) => repeat.Mapping.ToDictionary(
        pair => pair.Key,
        pair => repeat.First[pair.Key] with { Job = last.Value, Name = pair.Value, OfInput = false, Given = null },
        StringComparer.Ordinal);

    /// <summary>Items as a step wrote them; null, and why, when they cannot be used.</summary>
    public static List<Dictionary<string, LateInput>>? ReadItems(string text, PlannedEach each, out string? problem)
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
}
