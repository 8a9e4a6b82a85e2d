using Zaffre.Jobs.Data;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;
using Zaffre.Web;

namespace Zaffre.Jobs.Forecast;

/// <summary>A late input as far as it is known: a value, none, a name of what it depends on, or why there can be none.</summary>
internal sealed record ForecastInput(PlannedInput? Value, string? Unknown = null, string? Problem = null);

/// <summary>Gives steps of a plan the inputs that a run would give them when they start (<see cref="Execution.LateInputs"/>), as far as these are known.</summary>
internal static class ForecastInputs
{
    /// <summary>The plan with the inputs that are known, the others by what they depend on, and why the step could not start.</summary>
    public static (JobPlan Plan, IReadOnlyDictionary<string, string> Unknown, string? Problem) Settle(ForecastTree tree, JobPlan plan)
    {
        var unknown = new Dictionary<string, string>(StringComparer.Ordinal);
        if (plan.Late is not { Count: > 0 } late)
        {
            return (plan, unknown, null);
        }

        var inputs = new Dictionary<string, PlannedInput>(plan.Inputs, StringComparer.Ordinal);
        var absent = new List<string>();
        foreach (var (name, input) in late)
        {
            var found = Resolve(tree, input);
            if (found.Problem is { } problem || (problem = found.Unknown is null ? Fault(input, found.Value) : null) is not null)
            {
                return (plan, unknown, $"its input '{name}' has no value that it can start with: {problem}");
            }

            if (found.Unknown is { } label)
            {
                unknown[name] = label;
            }
            else if (found.Value is null)
            {
                absent.Add(name);
            }
            else
            {
                inputs[name] = found.Value;
            }
        }

        return unknown.Count > 0
            ? (plan with { Inputs = inputs, Late = null }, unknown, null)
            : (plan with { Inputs = inputs, Late = null, Command = CommandTemplate.Finish(plan.Command, absent) }, unknown, null);
    }

    /// <summary>The value of a late input.</summary>
    public static ForecastInput Resolve(ForecastTree tree, LateInput late)
    {
        if (late.Given is { } given)
        {
            return new ForecastInput(given);
        }

        if (late.Job is null || tree.Find(new ArmId(late.Job)) is not { } source)
        {
            return new ForecastInput(Literal(late.Port.Default, late.Port));
        }

        if (late.OfInput)
        {
            return source.Unknown.TryGetValue(late.Name!, out var label) ? new ForecastInput(null, label)
                : source.Plan.Inputs.TryGetValue(late.Name!, out var input) ? new ForecastInput(input with { Mode = input.Type == JobTypes.Literal ? InputMode.Direct : late.Mode })
                : new ForecastInput(Literal(late.Port.Default, late.Port));
        }

        return Output(tree, source, late.Name!) switch
        {
            ({ } writer, { } output) when writer.Fate == Fate.Reuse => PortTypes.IsPrimitive(output.Type)
                ? writer.Values.TryGetValue(OutputName(tree, source, late.Name!), out var value) ? new ForecastInput(Literal(value, late.Port)) : new ForecastInput(null, null, $"the step '{source.Way}' wrote no value '{late.Name}'")
                : new ForecastInput(new PlannedInput(output.Type, late.Mode) { Value = output.Uri, Blob = output.Blob }),
            _ => new ForecastInput(null, $"{source.Way}.outputs.{late.Name}"),
        };
    }

    /// <summary>The command that writes an output of a step, and the output as it was planned there; nulls when that is not known.</summary>
    private static (ForecastStep? Writer, PlannedOutput? Output) Output(ForecastTree tree, ForecastStep source, string name)
    {
        var (writer, output) = Writer(tree, source, name);
        return (writer, writer?.Plan.Outputs.GetValueOrDefault(output));
    }

    private static string OutputName(ForecastTree tree, ForecastStep source, string name) => Writer(tree, source, name).Name;

    private static (ForecastStep? Step, string Name) Writer(ForecastTree tree, ForecastStep source, string name) => source.Kind switch
    {
        JobKind.Pipeline => source.Plan.Pipeline!.Outputs.TryGetValue(name, out var bound) && tree.Find(new ArmId(bound.Job)) is { } below ? Writer(tree, below, bound.Name) : (null, name),
        JobKind.Loop => source.Last is { } last ? Writer(tree, last, name) : (null, name),
        _ => (source, name),
    };

    private static PlannedInput? Literal(string? value, Port port) => value is null
        ? null
        : new PlannedInput(port.IsPrimitive ? JobTypes.Literal : port.Type, InputMode.Direct) { Value = value };

    private static string? Fault(LateInput input, PlannedInput? value) => value is null
        ? input.Port.Optional ? null : $"it is required ({input.Port.Type})"
        : value.Type == JobTypes.Literal ? input.Port.Problem(value.Value) : null;
}
