namespace Zaffre.Tests.Clients.Compute;

[Collection(ZaffreServer.OfJobs)]
public sealed class ComputeTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_makes_stops_starts_and_deletes_computes(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "computes.py");
        Assert.Equal(["cluster", "instance", "nodes", "sizes_and_usage", "refusals", "delete"], steps);
    }
}
