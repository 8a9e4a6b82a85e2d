using System.Globalization;
using System.Text.RegularExpressions;
using Zaffre.Compute;
using Zaffre.Jobs.Data;

namespace Zaffre.Jobs.Execution;

/// <summary>How a job ended, in words for people: code, cause, the log line that shows it, what to do.</summary>
internal sealed partial record Verdict(string Status, int? ExitCode, string? Code, string? Message)
{
    /// <summary>The last line of a pipeline's log, which says this verdict; null for other jobs.</summary>
    public string? LastLine { get; init; }

    /// <summary>What the job used, when it ran.</summary>
    public JobUsage? Usage { get; init; }

    /// <summary>What happened to the job without failing it: a limit that acted, what lies in its outputs and is not published.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    private const int Killed = 137;
    private const int FileTooLarge = 153;

    public static Verdict Failed(string code, string message, int? exitCode = null) => new(JobStatus.Failed, exitCode, code, message);

    public static Verdict CanceledBy(string who, int? exitCode) => new(JobStatus.Canceled, exitCode, "JobCanceled", $"{who} canceled the job.");

    /// <summary>The job was ended because it filled the server's disk; <paramref name="told"/> has the figures, when they are known.</summary>
    public static Verdict DiskLimit(ExitRecord exit, string? told) => Failed("DiskLimit", Sentence(
        $"The job was ended before it filled the disk. {told ?? "It was writing most to the disk of the server's data directory, which was about to be full"}", line: null, "write less, or free space on that disk and submit the job again"), exit.ExitCode);

    /// <summary>The command failed while the server's disk was full, as <paramref name="told"/>.</summary>
    public static Verdict DiskFull(ExitRecord exit, string? line, string? told) => Failed("DiskFull", Sentence(
        $"The disk is full: the command ended with exit code {exit.ExitCode}{(told is null ? "" : $", and {told}")}", line, "free space on the server's disk and submit the job again"), exit.ExitCode);

    /// <summary>Judges an exit record; <paramref name="line"/> is the line of the <paramref name="log"/> that shows the cause, when one was found.</summary>
    public static Verdict Of(ExitRecord exit, string? line, TimeSpan? timeout, string? stoppedBy, string log = "user_logs/std_log.txt")
    {
        if (exit.Stopped is StopReason.DiskLimit)
        {
            return DiskLimit(exit, told: null);
        }

        if (exit.Stopped is StopReason.Timeout)
        {
            return new Verdict(JobStatus.Canceled, exit.ExitCode, "JobTimedOut", Sentence(
                $"The job was ended because it ran longer than its limit of {Human(timeout ?? TimeSpan.Zero)} (limits.timeout)", line, "raise limits.timeout, or make the job faster"));
        }

        if (exit.Stopped is not null)
        {
            return CanceledBy(stoppedBy ?? "The server", exit.ExitCode);
        }

        if (exit.NeverBegan)
        {
            return Failed("LaunchFailed", exit.Reason);
        }

        if (exit.Lost)
        {
            return Failed("JobLost", Sentence(
                "The process vanished without leaving an exit record: the machine was restarted, or the process that watches it was killed", line, "submit the job again"));
        }

        if (exit.ExitCode == 0)
        {
            return new Verdict(JobStatus.Completed, 0, null, null);
        }

        return Contained(exit, line) ?? Failed("UserError", Sentence($"The command ended with exit code {exit.ExitCode}{Meaning(exit)}", line, Advice(exit, line, log)), exit.ExitCode);
    }

    private static Verdict? Contained(ExitRecord exit, string? line)
    {
        if (exit.OutOfMemoryKills > 0)
        {
            return Failed("OutOfMemory", Sentence(
                $"The command needed more memory than its limit and was killed. {exit.Reason}", line, "use less memory, or a compute with a larger size"), exit.ExitCode);
        }

        if (exit.ContainedBy is { } contained)
        {
            var code = contained.Split(':')[0].Trim();
            var advice = code == "ProcessLimit" ? "start fewer processes or threads, or use a compute with a larger size" : "stay within the limit, or use a compute with a larger size";
            return Failed(code, Sentence($"The command was stopped by a limit: {contained}", line, advice), exit.ExitCode);
        }

        if (exit.ExitCode == FileTooLarge)
        {
            return Failed("DiskLimit", Sentence("The command wrote a file beyond the largest size allowed", line, "write smaller files"), exit.ExitCode);
        }

        return line is not null && line.Contains("No space left on device", StringComparison.OrdinalIgnoreCase)
            ? DiskFull(exit, line, told: null)
            : null;
    }

    private static string Meaning(ExitRecord exit) => exit switch
    {
        { ExitCode: 126 } => " (found, but not executable)",
        { ExitCode: 127 } => " (command not found)",
        { ExitCode: Killed } => " (killed by SIGKILL)",
        { Signal: { } signal } => string.Create(CultureInfo.InvariantCulture, $" (ended by signal {signal})"),
        _ => "",
    };

    private static string Advice(ExitRecord exit, string? line, string log)
    {
        if (line is not null && Unfound().Match(line) is { Success: true } unfound)
        {
            return $"pip has found no package '{unfound.Groups["name"].Value}': give this server an index that has it (PIP_INDEX_URL of the server, or /etc/pip.conf), or put its wheel into the folder 'wheels' of the server's data directory";
        }

        if (line is not null && (line.Contains("ModuleNotFoundError", StringComparison.Ordinal) || line.Contains("ImportError", StringComparison.Ordinal)))
        {
            return "add the package to the conda file of the job's environment";
        }

        if (line is not null && (line.Contains("FileNotFoundError", StringComparison.Ordinal) || line.Contains("No such file or directory", StringComparison.Ordinal)))
        {
            return "check the path; the command runs in the folder of the job's code, and inputs lie where ${{inputs.name}} says";
        }

        return exit.ExitCode switch
        {
            127 => "check the spelling, and that the program is installed on this host or comes with the code",
            126 => "make the file executable, or run it with its interpreter",
            Killed => "see whether the host ran out of memory or somebody killed the process",
            _ => $"see the log {log}",
        };
    }

    private static string Sentence(string cause, string? line, string advice) =>
        $"{cause.TrimEnd('.')}. " + (line is null ? "" : $"The log says: {line.TrimEnd('.')}. ") + $"What to do: {advice}.";

    private static string Human(TimeSpan span) => span < TimeSpan.FromMinutes(2)
        ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###} s")
        : span.ToString("c", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(No matching distribution found for|Could not find a version that satisfies the requirement) (?<name>[A-Za-z0-9][A-Za-z0-9._\-]*)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Unfound();
}
