using Zaffre.Storage;

namespace Zaffre.Jobs.Execution.Reuse;

/// <summary>Why a step ran or was reused.</summary>
internal enum Reason
{
    /// <summary>It took the outputs of an earlier run.</summary>
    Reused,

    /// <summary>No earlier run is known.</summary>
    FirstRun,

    /// <summary>Something that it sees is not what it was.</summary>
    Changed,

    /// <summary>The pipeline says <c>force_rerun</c>.</summary>
    Forced,

    /// <summary>The component says <c>is_deterministic: false</c>.</summary>
    NotDeterministic,

    /// <summary>An output of the earlier run is gone, or not what it was.</summary>
    OutputGone,

    /// <summary>The earlier run saw the same and did not complete.</summary>
    DidNotComplete,

    /// <summary>It sees something whose content nobody knows.</summary>
    NotReusable,
}

/// <summary>
/// One thing that differs: <paramref name="What"/> is command, code, input, output, variable, environment, distribution or run, <paramref name="Name"/> which one.
/// <paramref name="Before"/> and <paramref name="After"/> are digests when the text still lacks what lies in the manifests.
/// </summary>
internal sealed record StepDifference(string What, string? Name, string Text, string? Before = null, string? After = null);

/// <summary>A decision as it is stored, before the step begins.</summary>
internal sealed record Decision(Reason Reason)
{
    /// <summary>By which it may be found and reused; null when its outputs must not be.</summary>
    public string? Key { get; init; }

    /// <summary>Resource key of the run that it was compared with, or whose outputs it has.</summary>
    public string? Compared { get; init; }

    public IReadOnlyList<StepDifference> Differences { get; init; } = [];

    public StepFacts? Facts { get; init; }
}

/// <summary>What a decision is made from beside the rows: what the disk was found to hold, kept while a pipeline runs. Thread safe.</summary>
internal sealed class ReuseMemory
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, FolderDigest> digests = new(StringComparer.Ordinal);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string Key, string Job), string> verified = new();

    public FolderDigest? Find(BlobAddress place) => digests.GetValueOrDefault(PlaceOf(place));

    public void Keep(BlobAddress place, FolderDigest digest) => digests[PlaceOf(place)] = digest;

    /// <summary>Whether the outputs of a run were looked at: null when not, empty when they are what they were, else what is wrong with them.</summary>
    public string? Verified(string key, string job) => verified.GetValueOrDefault((key, job));

    public void Verify(string key, string job, string problem) => verified[(key, job)] = problem;

    /// <summary>Forgets what was looked at; the next decision looks again.</summary>
    public void ForgetVerified() => verified.Clear();

    private static string PlaceOf(BlobAddress place) => place.At(place.Name.TrimEnd('/')).ToString();
}
