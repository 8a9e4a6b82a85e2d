using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Web;

namespace Zaffre.Jobs.Execution;

/// <summary>Gives a step that is about to start the inputs that were not known before, from the rows of what they come from.</summary>
internal static class LateInputs
{
    /// <summary>Completes the step's plan and document; why it cannot start, when it cannot.</summary>
    public static string? Settle(WriteScope scope, JobRow step)
    {
        // Most steps have none, and their plans need not be read.
        if (!step.Plan.Contains("\"late\":", StringComparison.Ordinal) || step.ReadPlan() is not { Late: { Count: > 0 } late } plan)
        {
            return null;
        }

        var document = StepWrites.Document(scope, step.JobId) ?? [];
        var inputs = new Dictionary<string, PlannedInput>(plan.Inputs, StringComparer.Ordinal);
        var absent = new List<string>();
        foreach (var (name, input) in late)
        {
            var (value, problem) = Resolve(scope, input);
            if (problem is not null || (problem = Missing(input, value)) is not null)
            {
                return $"The input '{name}' of the step '{step.Step}' has no value it can start with: {problem}.";
            }

            if (value is null)
            {
                absent.Add(name);
            }
            else
            {
                inputs[name] = value;
                Show(document, name, value, input.WireMode);
            }
        }

        if (CommandTemplate.FirstNamed(CommandTemplate.Finish(plan.Command, absent), absent) is { } named)
        {
            return $"The command of the step '{step.Step}' names the input '{named}' outside of an optional block, and it has no value.";
        }

        var command = CommandTemplate.Finish(plan.Command, absent);
        if (document.ContainsKey("command"))
        {
            document["command"] = command;
        }

        StepWrites.SetPlan(scope, step.JobId, plan with { Inputs = inputs, Late = null, Command = command }, document);
        return null;
    }

    /// <summary>The value of a late input, null when it has none, or why it cannot be known.</summary>
    public static (PlannedInput? Value, string? Problem) Resolve(WriteScope scope, LateInput late)
    {
        if (late.Given is { } given)
        {
            return (given, null);
        }

        if (late.Job is null)
        {
            return (Literal(late.Port.Default, late.Port), null);
        }

        if (StepWrites.FindByKey(scope, new ArmId(late.Job).Key) is not { } source)
        {
            return (null, $"the job {new ArmId(late.Job).Name} that it comes from is gone");
        }

        var plan = source.ReadPlan();
        if (late.OfInput)
        {
            return plan.Inputs.TryGetValue(late.Name!, out var input)
                ? (input with { Mode = input.Type == JobTypes.Literal ? InputMode.Direct : late.Mode }, null)
                : (Literal(late.Port.Default, late.Port), null);
        }

        if (!plan.Outputs.TryGetValue(late.Name!, out var output))
        {
            return (null, $"the step '{source.Step}' has no output '{late.Name}'");
        }

        if (!PortTypes.IsPrimitive(output.Type))
        {
            return (new PlannedInput(output.Type, late.Mode) { Value = output.Uri, Blob = output.Blob }, null);
        }

        var value = StepWrites.Values(scope, source.JobId).FirstOrDefault(value => value.Name == late.Name).Value;
        return value is null ? (null, $"the step '{source.Step}' wrote no value '{late.Name}'") : (Literal(value, late.Port), null);
    }

    private static PlannedInput? Literal(string? value, Port port) => value is null
        ? null
        : new PlannedInput(port.IsPrimitive ? JobTypes.Literal : port.Type, InputMode.Direct) { Value = value };

    private static string? Missing(LateInput input, PlannedInput? value)
    {
        if (value is null)
        {
            return input.Port.Optional ? null : $"it is required ({input.Port.Type})";
        }

        return value.Type == JobTypes.Literal && input.Port.Problem(value.Value) is { } reason ? (reason.Length > 300 ? reason[..300] + "..." : reason) : null;
    }

    private static void Show(JsonObject document, string name, PlannedInput value, string? mode)
    {
        if (document["inputs"] is not JsonObject inputs)
        {
            document["inputs"] = inputs = [];
        }

        inputs[name] = value.Type == JobTypes.Literal
            ? new JsonObject { ["jobInputType"] = JobTypes.Literal, ["value"] = value.Value }
            : new JsonObject { ["jobInputType"] = value.Type, ["uri"] = value.Value };
        if (mode is not null && value.Type != JobTypes.Literal)
        {
            inputs[name]!["mode"] = mode;
        }
    }
}
