namespace Zaffre.Tests.Clients.Workspaces;

[Collection(ZaffreServer.OfAssets)]
public sealed class DatastoreTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_makes_lists_and_deletes_datastores_of_every_kind(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "datastores.py");
        Assert.Equal(["blobs", "others", "listing", "delete"], steps);
    }
}
