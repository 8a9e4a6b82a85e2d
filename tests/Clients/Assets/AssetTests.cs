namespace Zaffre.Tests.Clients.Assets;

[Collection(ZaffreServer.OfAssets)]
public sealed class AssetTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_uploads_lists_downloads_and_archives_assets(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "assets.py");
        Assert.Equal(["workspaces", "datastores", "data", "models", "environments", "code"], steps);
    }
}
