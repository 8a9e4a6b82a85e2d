using Zaffre.Web;

namespace Zaffre.Tracking;

/// <summary>
/// Something that is not the same in what two runs were made from. <paramref name="Step"/> is the way to a step of a pipeline, empty for the runs themselves;
/// <paramref name="Aspect"/> is <c>command</c>, <c>code</c>, <c>environment</c>, <c>compute</c>, <c>input</c>, <c>variable</c>, <c>limit</c> or <c>step</c>;
/// <paramref name="What"/> is its name, or the file with its lines; the sides are null where there is nothing.
/// </summary>
public sealed record RunDifference(string Step, string Aspect, string What, string? Left, string? Right);

/// <summary>What runs were made from. Implemented by Jobs, for the runs of jobs. Thread safe.</summary>
public interface IRunOrigins
{
    /// <summary>
    /// By run id, what can be said of it in a line each: <c>command</c>, <c>code</c> (a digest), <c>environment</c>, <c>compute</c>, <c>input.x</c>, <c>variable.x</c> and so on.
    /// Runs without a job are left out.
    /// </summary>
    Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> FactsAsync(WorkspaceRef workspace, IReadOnlyList<string> runs, CancellationToken ct);

    /// <summary>Everything that differs in what two jobs were made from; nothing of what came of them.</summary>
    Task<IReadOnlyList<RunDifference>> DifferencesAsync(WorkspaceRef workspace, string left, string right, CancellationToken ct);
}
