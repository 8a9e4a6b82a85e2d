namespace Zaffre.Tests.Clients.Jobs;

[Collection(ZaffreServer.Collection)]
public sealed class JobTests(ZaffreServer server)
{
    [Fact]
    public async Task The_vanilla_sdk_submits_streams_lists_cancels_and_downloads_jobs()
    {
        var output = await server.PythonAsync("jobs.py");
        Assert.Equal(
            ["submit", "list", "download", "cancel", "failure", "refusals"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith("ok ", StringComparison.Ordinal)).Select(l => l[3..].Trim()));
    }
}
