namespace Zaffre.Tests.Clients.Endpoints;

[Collection(ZaffreServer.Collection)]
public sealed class EndpointTests(ZaffreServer server)
{
    [Fact]
    public async Task The_vanilla_sdk_deploys_splits_invokes_updates_and_deletes()
    {
        var output = await server.PythonAsync("endpoints.py");
        Assert.Equal(
            ["create", "traffic_and_invoke", "keys", "logs", "failure", "update", "tokens", "delete"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith("ok ", StringComparison.Ordinal)).Select(l => l[3..].Trim()));
    }
}
