using Zaffre.Jobs.Data;
using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Jobs.Forecast;

/// <summary>What would become of a step.</summary>
internal enum Fate
{
    /// <summary>It would run.</summary>
    Run,

    /// <summary>It would take the outputs of an earlier run.</summary>
    Reuse,

    /// <summary>That is decided when something else is known.</summary>
    Depends,

    /// <summary>A condition says that it does not run.</summary>
    Skip,

    /// <summary>It could not start.</summary>
    Fail,
}

/// <summary>A step of a plan: commands, and what holds or decides other steps. <paramref name="Way"/> is its way from the root, as <c>job why</c> tells it.</summary>
internal sealed record ForecastStep(string Way, PlannedStep Step)
{
    /// <summary>The plan with everything that could be settled.</summary>
    public required JobPlan Plan { get; init; }

    public Fate Fate { get; init; } = Fate.Run;

    /// <summary>Why a step runs or is reused; null when that is not what decides.</summary>
    public Reason? Reason { get; init; }

    public string Summary { get; init; } = "";

    public IReadOnlyList<StepDifference> Differences { get; init; } = [];

    /// <summary>Resource key of the run that it was compared with.</summary>
    public string? Compared { get; init; }

    /// <summary>The outputs, as <c>step.outputs.name</c>, that have to be known first.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];

    /// <summary>What decides whether it runs at all, when that is not known: steps below share it.</summary>
    public IReadOnlyList<string> DecidedBy { get; init; } = [];

    /// <summary>The inputs that are not known, by name, and what they depend on.</summary>
    public IReadOnlyDictionary<string, string> Unknown { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What it would see, as far as that is known.</summary>
    public StepFacts? Facts { get; init; }

    /// <summary>The values of its outputs, when it is reused.</summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The last iteration of a <c>do_while</c> that is known to end there.</summary>
    public ForecastStep? Last { get; init; }

    /// <summary>True for what is told: commands, and loops whose iterations are not known.</summary>
    public bool IsTold { get; init; }

    public string Kind => JobKind.Of(Plan);
}
