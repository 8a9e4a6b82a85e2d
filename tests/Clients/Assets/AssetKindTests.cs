namespace Zaffre.Tests.Clients.Assets;

[Collection(ZaffreServer.OfAssets)]
public sealed class AssetKindTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_registers_assets_of_every_kind_from_every_path(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "asset_kinds.py");
        Assert.Equal(["data", "versions", "models", "environments", "build_contexts", "components", "tables"], steps);
    }
}
