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
}
