using Zaffre.Compute;
using Zaffre.Jobs.Execution;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Jobs;

public sealed class VerdictTests
{
    [Fact]
    public void Exit_code_zero_completes_the_job() =>
        Assert.Equal(new Verdict("Completed", 0, null, null), Judge(new ExitRecord { ExitCode = 0, Reason = "" }));

    [Fact]
    public void A_failing_command_says_code_cause_line_and_what_to_do()
    {
        var verdict = Judge(new ExitRecord { ExitCode = 1, Reason = "" }, "ModuleNotFoundError: No module named 'x'");
        Assert.Equal(("Failed", 1, "UserError"), (verdict.Status, verdict.ExitCode, verdict.Code));
        Assert.Equal(
            "The command ended with exit code 1. The log says: ModuleNotFoundError: No module named 'x'. What to do: add the package to the conda file of the job's environment.",
            verdict.Message);
    }

    [Theory]
    [InlineData(127, "command not found")]
    [InlineData(126, "not executable")]
    [InlineData(139, "signal 11")]
    public void Well_known_exit_codes_are_explained(int code, string words) =>
        Assert.Contains(words, Judge(new ExitRecord { ExitCode = code, Reason = "" }).Message, StringComparison.Ordinal);

    [Fact]
    public void A_limit_names_itself()
    {
        Assert.Equal("OutOfMemory", Judge(new ExitRecord { ExitCode = 137, OutOfMemoryKills = 1, Reason = "" }).Code);
        Assert.Equal("ProcessLimit", Judge(new ExitRecord { ExitCode = 1, ContainedBy = "ProcessLimit: 1024 processes", Reason = "" }).Code);
        Assert.Equal("DiskLimit", Judge(new ExitRecord { ExitCode = 153, Reason = "" }).Code);
        Assert.Equal("DiskFull", Judge(new ExitRecord { ExitCode = 1, Reason = "" }, "OSError: [Errno 28] No space left on device").Code);
    }

    [Fact]
    public void A_limit_that_did_not_end_the_command_does_not_fail_it() =>
        Assert.Equal("Completed", Judge(new ExitRecord { ExitCode = 0, OutOfMemoryKills = 1, ContainedBy = "OutOfMemory: x", Reason = "" }).Status);

    [Fact]
    public void A_stopped_job_is_canceled_whatever_its_exit_code()
    {
        var canceled = Judge(new ExitRecord { ExitCode = 0, Stopped = StopReason.Canceled, Reason = "" });
        Assert.Equal(("Canceled", "JobCanceled", "ann canceled the job."), (canceled.Status, canceled.Code, canceled.Message));
        var timedOut = Judge(new ExitRecord { ExitCode = 143, Stopped = StopReason.Timeout, Reason = "" });
        Assert.Equal(("Canceled", "JobTimedOut"), (timedOut.Status, timedOut.Code));
        Assert.Contains("limit of 30 s", timedOut.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lost_process_fails_the_job() =>
        Assert.Equal(("Failed", "JobLost"), (Judge(new ExitRecord { Lost = true, Reason = "" }).Status, Judge(new ExitRecord { Lost = true, Reason = "" }).Code));

    [Fact]
    public void A_command_that_never_began_is_no_error_of_its_user() =>
        Assert.Equal(("Failed", "LaunchFailed"), (Judge(new ExitRecord { ExitCode = 125, NeverBegan = true, Reason = "x" }).Status, Judge(new ExitRecord { Lost = true, NeverBegan = true, Reason = "x" }).Code));

    [Theory]
    [InlineData("a\nValueError: bad\nbye\n", "ValueError: bad")]
    [InlineData("one\ntwo\n\n", "two")]
    [InlineData("bash: line 1: nope: command not found\n", "bash: line 1: nope: command not found")]
    [InlineData("Traceback:\n  File x\nmypkg.errors.DataError: no rows\n", "mypkg.errors.DataError: no rows")]
    [InlineData("", null)]
    public void The_line_that_shows_the_cause_is_found(string log, string? line) => Assert.Equal(line, LogTail.Cause(log));

    [Theory]
    [InlineData(new byte[] { 0x61, 0x62 }, 2)]
    [InlineData(new byte[] { 0x61, 0xC3 }, 1)]
    [InlineData(new byte[] { 0x61, 0xC3, 0xB6 }, 3)]
    [InlineData(new byte[] { 0x61, 0xE2, 0x82 }, 1)]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80 }, 5)]
    [InlineData(new byte[] { }, 0)]
    public void A_log_is_cut_between_characters(byte[] bytes, int whole) => Assert.Equal(whole, Utf8Text.WholeCharacters(bytes));

    private static Verdict Judge(ExitRecord exit, string? line = null) => Verdict.Of(exit, line, TimeSpan.FromSeconds(30), "ann");
}
