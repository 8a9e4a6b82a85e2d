using System.Diagnostics;

namespace Zaffre.Tests.Clients.Jobs;

[Collection(ZaffreServer.OfJobs)]
public sealed class StreamTests(ZaffreServer server)
{
    [Fact]
    public async Task A_streamed_job_that_fails_says_why()
    {
        var result = await server.ZaffreAsync("job", "create", "--stream", "--name", "stream-fails", "-f", Job("""python -c 'raise ValueError("too low")'"""));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("ERROR: The job stream-fails failed: (UserError) The command ended with exit code 1. The log says: ValueError: too low.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_beyond_the_reader_is_refused_before_anything_is_made()
    {
        var result = await server.ZaffreAsync("job", "create", "--name", "stream-unmade", "-f", Job("echo hi"), "--query", "[a,b]");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("--query '[a,b]' is beyond", result.Error, StringComparison.Ordinal);
        Assert.Contains("ResourceNotFound", (await server.ZaffreAsync("job", "show", "-n", "stream-unmade")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_followed_log_does_not_hold_up_the_servers_end_and_the_job_goes_on()
    {
        (await server.ZaffreAsync("job", "create", "--name", "stream-on", "-o", "none", "-f", Job("echo first; while [ ! -e outputs/end ]; do sleep 0.1; done; echo last"))).Succeeded();
        var reader = ZaffreBinary.Start(ZaffreBinary.Path, ["job", "stream", "-n", "stream-on", "--data", server.Data]);
        Assert.Equal("first", await reader.StandardOutput.ReadLineAsync());

        var clock = Stopwatch.StartNew();
        (await server.ZaffreAsync("down")).Succeeded();
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        var error = await reader.StandardError.ReadToEndAsync();
        await reader.WaitForExitAsync();
        Assert.Equal(1, reader.ExitCode);
        Assert.StartsWith("ERROR: The log of the job stream-on broke off:", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);

        await server.StartAsync();
        (await server.ZaffreAsync("job", "cancel", "-n", "stream-on")).Succeeded();
        Assert.Contains("The job stream-on ended as Canceled: (JobCanceled) owner canceled the job.", (await server.ZaffreAsync("job", "stream", "-n", "stream-on")).Error, StringComparison.Ordinal);
    }

    private string Job(string command)
    {
        var file = Path.Combine(Path.GetDirectoryName(server.Data)!, Guid.NewGuid().ToString("N") + ".yml");
        File.WriteAllText(file, $"type: command\ncommand: >-\n  {command}\nenvironment:\n  image: mcr.microsoft.com/azureml/base\n");
        return file;
    }
}
