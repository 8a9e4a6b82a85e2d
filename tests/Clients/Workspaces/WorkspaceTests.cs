namespace Zaffre.Tests.Clients.Workspaces;

[Collection(ZaffreServer.OfAssets)]
public sealed class WorkspaceTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_creates_updates_connects_and_deletes_workspaces(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "workspaces.py", mode);
        Assert.Equal(["create", "update", "lists", "keys", "connections", "hubs", "feature_stores", "deleted"], steps);
    }
}
