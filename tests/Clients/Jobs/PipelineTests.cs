namespace Zaffre.Tests.Clients.Jobs;

[Collection(ZaffreServer.OfJobs)]
public sealed class PipelineTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_runs_pipelines_from_yaml_and_python(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "pipelines.py");
        Assert.Equal(["yaml", "children", "download", "archive", "nested", "registered", "samples", "failure", "cancel", "refusals"], steps);
    }
}
