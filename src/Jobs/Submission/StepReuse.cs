namespace Zaffre.Jobs.Submission;

/// <summary>
/// Whether a step may take the outputs of an earlier run: not when the pipeline says <c>force_rerun</c>, and not when its component says
/// <c>is_deterministic: false</c>. <paramref name="Component"/> is the resource key of the component, over all of its versions; null when it has no name.
/// </summary>
internal sealed record StepReuse(bool Forced, bool Deterministic, string? Component);
