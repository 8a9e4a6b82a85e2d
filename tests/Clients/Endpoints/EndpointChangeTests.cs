namespace Zaffre.Tests.Clients.Endpoints;

[Collection(ZaffreServer.OfJobs)]
public sealed class EndpointChangeTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_changes_endpoints_and_their_deployments(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "endpoint_changes.py");
        Assert.Equal(["create", "metadata", "traffic", "mirror", "keys", "deployments", "delete"], steps);
    }
}
