namespace Zaffre.Tests.Clients.Jobs;

[Collection(ZaffreServer.OfJobs)]
public sealed class JobTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_submits_streams_lists_cancels_and_downloads_jobs(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "jobs.py");
        Assert.Equal(
            ["submit", "list", "download", "cancel", "failure", "refusals"],
            steps);
    }
}
