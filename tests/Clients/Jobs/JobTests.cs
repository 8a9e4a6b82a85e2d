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
            ["submit", "binary", "list", "download", "cancel", "failure", "refusals"],
            steps);
    }

    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_runs_distributed_jobs(Sdk sdk, string mode) =>
        Assert.Equal(["pytorch", "mpi", "pipelines", "failure", "refusals"], await server.StepsAsync(sdk, mode, "distributed.py"));
}
