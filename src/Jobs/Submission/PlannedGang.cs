using System.Text.Json.Serialization;

namespace Zaffre.Jobs.Submission;

/// <summary>How the processes of a job find each other.</summary>
internal enum GangKind
{
    /// <summary>They do not: the command runs once on each instance, knowing its number.</summary>
    Instances,

    PyTorch,

    TensorFlow,

    Mpi,
}

/// <summary>
/// The processes of a job that runs as several, or as one that is told so. They start together, and end together when one fails.
/// <paramref name="Processes"/> is the number of all of them, <paramref name="ParameterServers"/> how many of these are TensorFlow's parameter servers.
/// </summary>
internal sealed record PlannedGang(GangKind Kind, int Instances, int Processes, int ParameterServers)
{
    /// <summary>Most processes of one job.</summary>
    public const int MostProcesses = 256;

    /// <summary>Processes on the fullest instance.</summary>
    [JsonIgnore]
    public int PerInstance => (Processes + Instances - 1) / Instances;

    [JsonIgnore]
    public int Workers => Processes - ParameterServers;

    /// <summary>Every process in the order of its number: parameter servers last.</summary>
    [JsonIgnore]
    public IReadOnlyList<Member> Members => Kind is GangKind.TensorFlow
        ? [.. Spread(Workers, serves: false, before: 0), .. Spread(ParameterServers, serves: true, before: Workers)]
        : [.. Enumerable.Range(0, Processes).Select(number => new Member(number, number / PerInstance, number % PerInstance)
        {
            Name = FormattableString.Invariant($"{(Kind is GangKind.Instances ? "instance" : "rank")} {number}"),
            Log = FormattableString.Invariant($"user_logs/std_log_process_{number}.txt"),
        })];

    private IEnumerable<Member> Spread(int count, bool serves, int before) => Enumerable.Range(0, count).Select(index => new Member(before + index, index % Instances, index / Instances)
    {
        Index = index,
        Serves = serves,
        Name = FormattableString.Invariant($"{(serves ? "parameter server" : "worker")} {index}"),
        Log = FormattableString.Invariant($"user_logs/std_log_process_{index}{(serves ? "_ps" : "")}.txt"),
    });
}

/// <summary>A process of a job: its number among all, the number of its instance, and its number there.</summary>
internal sealed record Member(int Number, int Instance, int Local)
{
    /// <summary>The one process of a job without a gang.</summary>
    public static readonly IReadOnlyList<Member> Single = [new Member(0, 0, 0)];

    /// <summary>Its number within its role.</summary>
    public int Index { get; init; } = Number;

    /// <summary>It serves the others until they are done, and has no end of its own.</summary>
    public bool Serves { get; init; }

    /// <summary>What people call it; null when there is nothing to tell it from.</summary>
    public string? Name { get; init; }

    /// <summary>Its log below the job's artifacts.</summary>
    public string Log { get; init; } = "user_logs/std_log.txt";
}
