using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Zaffre.Storage;

namespace Zaffre.Jobs.Submission;

/// <summary>
/// What will run, decided when the job was accepted: every reference resolved to a version and a place. Later changes of assets do not
/// touch it.
/// </summary>
internal sealed record JobPlan
{
    /// <summary>The command with its expressions; empty for a pipeline.</summary>
    public string Command { get; init; } = "";

    public required string Experiment { get; init; }

    /// <summary>Resource id of the compute; empty for a pipeline.</summary>
    public string Compute { get; init; } = "";

    /// <summary>Resource id of the environment version, and its <c>properties</c> as they were; empty for a pipeline.</summary>
    public string Environment { get; init; } = "";

    public JsonObject EnvironmentDocument { get; init; } = [];

    /// <summary>The code's folder or file; null when the job has none.</summary>
    public BlobAddress? Code { get; init; }

    public IReadOnlyDictionary<string, PlannedInput> Inputs { get; init; } = new Dictionary<string, PlannedInput>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, PlannedOutput> Outputs { get; init; } = new Dictionary<string, PlannedOutput>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public TimeSpan? Timeout { get; init; }

    /// <summary>Bytes of <c>/dev/shm</c> for each process; null when the job does not say.</summary>
    public long? SharedMemory { get; init; }

    /// <summary>The processes of a distributed job; null for a job that is one process.</summary>
    public PlannedGang? Gang { get; init; }

    /// <summary>Places of the compute that it takes, all at once: one for each instance; the processes of an instance share its place.</summary>
    [JsonIgnore]
    public int Slots => Gang?.Instances ?? 1;

    /// <summary>The processes; one without a gang.</summary>
    [JsonIgnore]
    public IReadOnlyList<Member> Members => Gang?.Members ?? Member.Single;

    /// <summary>The log that people follow: of the first process.</summary>
    [JsonIgnore]
    public BlobAddress Log => Artifacts.Child(Members[0].Log);

    /// <summary>Where the run's artifacts and logs lie.</summary>
    public required BlobAddress Artifacts { get; init; }

    /// <summary>The stable id of the workspace.</summary>
    public required string WorkspaceId { get; init; }

    public required string Location { get; init; }

    /// <summary>Who submitted it; outputs are registered in this name.</summary>
    public required PlannedActor Actor { get; init; }

    /// <summary>The job at the root of the tree that a step belongs to; null for a job that was submitted by itself.</summary>
    public string? Root { get; init; }

    /// <summary>What references without a version were taken for (<see cref="Lookups.Pins"/>), at the root of a tree; null when there are none.</summary>
    public IReadOnlyDictionary<string, string>? Pins { get; init; }

    /// <summary>Digest of the lock that the environment is held to, in a job that repeats another; null when it is what the document leads to. See <c>LockTable</c>.</summary>
    public string? EnvironmentLock { get; init; }

    /// <summary>The seed of the submission that the job belongs to, from which it has its own; null for jobs of earlier versions.</summary>
    public PlannedSeed? Seed { get; init; }

    /// <summary>Whether a step may be reused; null for what is no step.</summary>
    public StepReuse? Reuse { get; init; }

    /// <summary>What is decided about a pipeline beside its steps; null for a command.</summary>
    public PlannedPipeline? Pipeline { get; init; }

    /// <summary>The inputs of a step that become known when it is about to start; null when there are none, or none any more.</summary>
    public IReadOnlyDictionary<string, LateInput>? Late { get; init; }

    /// <summary>What an <c>if_else</c> step decides; null for every other.</summary>
    public PlannedCondition? Condition { get; init; }
}

/// <summary>A pipeline's own part: what a failed step means, and which step's output each of its outputs is.</summary>
internal sealed record PlannedPipeline(bool ContinueOnStepFailure, IReadOnlyDictionary<string, StepOutput> Outputs)
{
    /// <summary>How its steps come to be, when it is a loop: they are its iterations.</summary>
    public PlannedLoop? Loop { get; init; }
}

/// <summary>An output of a step; <paramref name="Job"/> is the step's resource id.</summary>
internal sealed record StepOutput(string Job, string Name);

/// <summary>Who submitted a job.</summary>
internal sealed record PlannedActor(string ObjectId, string Name, string Type, string TenantId);

/// <summary>An input: a literal, a place of this server, a foreign address to fetch, or a URI that the job reads itself.</summary>
internal sealed record PlannedInput(string Type, InputMode Mode)
{
    /// <summary>The literal, or the URI as it was sent.</summary>
    public required string Value { get; init; }

    public BlobAddress? Blob { get; init; }

    public Uri? Download { get; init; }

    /// <summary>The files that the MLTable stands for are the input, and not the folder that it lies in.</summary>
    [JsonIgnore]
    public bool IsEvaluated => Mode is InputMode.EvalMount or InputMode.EvalDownload;

    /// <summary>What takes the expression's place when the input is neither mounted nor downloaded; else null.</summary>
    [JsonIgnore]
    public string? Direct => Type == JobTypes.Literal || Mode == InputMode.Direct ? Value : null;
}

/// <summary>An output and its place.</summary>
internal sealed record PlannedOutput(string Type, OutputMode Mode)
{
    public required BlobAddress Blob { get; init; }

    /// <summary>The long datastore form of the place.</summary>
    public required string Uri { get; init; }

    /// <summary>True when this place was asked for; else it is the server's choice, and another one would do.</summary>
    public bool Asked { get; init; }

    /// <summary>What was asked for, when the job's name is part of it: <c>${{name}}</c> in its place, everything else resolved. Else null.</summary>
    public string? Pattern { get; init; }

    public string? AssetName { get; init; }

    public string? AssetVersion { get; init; }

    [JsonIgnore]
    public bool IsFile => JobTypes.IsFile(Type);
}
