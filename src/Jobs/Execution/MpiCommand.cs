using System.Globalization;
using System.Text.RegularExpressions;
using Zaffre.Jobs.Submission;

namespace Zaffre.Jobs.Execution;

/// <summary>
/// The command of an MPI job: <c>mpirun</c> starts the processes, each of which writes a log of its own and leaves a line in the log of <c>mpirun</c>
/// when it fails.
/// </summary>
internal static partial class MpiCommand
{
    /// <summary>What <c>mpirun</c> itself says, below the job's artifacts.</summary>
    public const string Log = "system_logs/mpi.txt";

    private const string Start = """
        command -v mpirun >/dev/null || { echo 'mpirun: command not found: a job with distribution mpi needs an MPI library on this host (package openmpi-bin) or in its environment'; exit 127; }
        exec mpirun -np "$1" "$6" -c "$2" rank "$3" "$4" "$5" "$6"
        """;

    private const string Rank = """
        rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${PMIX_RANK:-0}}}
        export NODE_RANK=$((rank / $2)) AZUREML_PROCESS_NAME=rank_$rank
        "$4" -c "$1" >>"${3%/*}/std_log_process_$rank.txt" 2>&1
        code=$?
        [ $code = 0 ] || echo "rank $rank ended with exit code $code"
        exit $code
        """;

    /// <summary>
    /// Program and arguments, of a <paramref name="line"/> for one process: shell, <c>-c</c>, command. <paramref name="log"/> is the path of the
    /// first process's log in the task's view, where those of the others lie too.
    /// </summary>
    public static IReadOnlyList<string> Of(PlannedGang gang, IReadOnlyList<string> line, string log) =>
        [line[0], "-c", Start, "mpi", Text(gang.Processes), Rank, line[^1], Text(gang.PerInstance), log, line[0]];

    /// <summary>The process that a line of the log names as the one that failed; null when it names none.</summary>
    public static int? FailedRank(string text) =>
        Failed().Match(text) is { Success: true } match && int.TryParse(match.Groups["rank"].ValueSpan, CultureInfo.InvariantCulture, out var rank) ? rank : null;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\brank (?<rank>\d{1,6})\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Failed();
}
