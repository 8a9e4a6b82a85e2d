namespace Zaffre.Tests.Clients.Jobs;

[Collection(ZaffreServer.OfJobs)]
public sealed class JobMetadataTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_changes_lists_and_downloads_jobs(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "job_metadata.py");
        Assert.Equal(["changes", "services", "listing", "children", "outputs"], steps);
    }
}
