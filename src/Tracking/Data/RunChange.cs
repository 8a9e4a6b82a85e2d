using Zaffre.Database;

namespace Zaffre.Tracking.Data;

/// <summary>A state that a run moved to, at an instant in Unix milliseconds.</summary>
internal sealed record RunMove(RunStatus Status, long Time, string? ErrorCode, string? ErrorMessage);

/// <summary>What a unit wrote to a run, for those who follow it live. What is null was not written.</summary>
internal sealed record RunChange(RunRow Run)
{
    /// <summary>How far the mark of a run may lie behind its last change.</summary>
    public const long MarkWidth = 65_536;

    public IReadOnlyList<(string Name, string Value)>? Params { get; init; }

    public IReadOnlyList<(string Name, string Value)>? Tags { get; init; }

    public string? GoneTag { get; init; }

    public IReadOnlyList<MetricPoint>? Points { get; init; }

    public RunMove? Move { get; init; }

    /// <summary>Tells of the change after the commit, and notes that the run changed.</summary>
    public void Announce(WriteScope scope)
    {
        scope.Announce(this);
        if (Run.Changed < scope.Sequence - MarkWidth)
        {
            scope.Execute("UPDATE runs SET changed = max(changed, @sequence) WHERE key = @Key", new { Run.Key, sequence = scope.Sequence });
        }
    }
}

/// <summary>Runs that are gone for good.</summary>
internal sealed record RunsGone;
