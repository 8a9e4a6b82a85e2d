namespace Zaffre.Tests.Clients.Jobs;

[Collection(ZaffreServer.OfJobs)]
public sealed class ControlFlowTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_runs_pipelines_that_decide_and_repeat(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "control_flow.py");
        Assert.Equal(["loops", "branches", "items", "yaml", "failure", "refusal"], steps);
    }
}
