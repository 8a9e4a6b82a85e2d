using System.Text.Json.Nodes;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// An input whose value is known only when the step is about to start: what <paramref name="Port"/> takes of a job's output, or of a pipeline's
/// own late input, or what is given. None of these: it has no value.
/// </summary>
internal sealed record LateInput(Port Port)
{
    /// <summary>Resource id of the job that it comes from; null when it comes from none.</summary>
    public string? Job { get; init; }

    /// <summary>The name of that job's output, or of its input when <see cref="OfInput"/>.</summary>
    public string? Name { get; init; }

    public bool OfInput { get; init; }

    public PlannedInput? Given { get; init; }

    /// <summary>How data reaches the step.</summary>
    public InputMode Mode { get; init; }

    /// <summary>The mode as answers show it.</summary>
    public string? WireMode { get; init; }
}

/// <summary>
/// An <c>if_else</c>: the steps of <paramref name="True"/> run when the condition is true, else those of <paramref name="False"/>. The condition is
/// <see cref="Value"/>, or else <see cref="From"/>.
/// </summary>
internal sealed record PlannedCondition(IReadOnlyList<string> True, IReadOnlyList<string> False)
{
    public bool? Value { get; init; }

    public LateInput? From { get; init; }
}

/// <summary>
/// A loop. Its iterations are made from a template, whose every <paramref name="Token"/> becomes the number of the iteration: the first entry is the
/// iteration itself, what follows are its steps.
/// </summary>
internal sealed record PlannedLoop(string Token, IReadOnlyList<StepTemplate> Template)
{
    /// <summary>A <c>do_while</c>; else <see cref="Each"/> is set.</summary>
    public PlannedDoWhile? While { get; init; }

    /// <summary>A <c>parallel_for</c>.</summary>
    public PlannedEach? Each { get; init; }
}

/// <summary>
/// A <c>do_while</c>: at most <paramref name="Most"/> iterations, while the body's output <paramref name="Condition"/> is true (always, when null).
/// <paramref name="Mapping"/> gives the body's inputs the outputs of the iteration before; <paramref name="First"/> is what they are in the first.
/// </summary>
internal sealed record PlannedDoWhile(int Most, string? Condition, IReadOnlyDictionary<string, string> Mapping, IReadOnlyDictionary<string, LateInput> First);

/// <summary>
/// A <c>parallel_for</c>: an iteration for each of <see cref="Items"/>, or of those that <see cref="From"/> holds as JSON, at most
/// <paramref name="AtOnce"/> at a time. <paramref name="Ports"/> are the body's inputs that items may set.
/// </summary>
internal sealed record PlannedEach(int AtOnce, IReadOnlyDictionary<string, LateInput> Ports)
{
    public IReadOnlyList<IReadOnlyDictionary<string, LateInput>>? Items { get; init; }

    public LateInput? From { get; init; }
}

/// <summary>A step of an iteration to be; the members are those of a planned step.</summary>
internal sealed record StepTemplate(string Id, string Parent, string Name)
{
    public required JobPlan Plan { get; init; }

    public int Rank { get; init; }

    public required JsonObject Document { get; init; }

    public required IReadOnlyList<string> Needs { get; init; }
}
