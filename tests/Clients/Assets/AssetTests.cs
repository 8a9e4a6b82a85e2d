namespace Zaffre.Tests.Clients.Assets;

[Collection(ZaffreServer.Collection)]
public sealed class AssetTests(ZaffreServer server)
{
    [Fact]
    public async Task The_vanilla_sdk_uploads_lists_downloads_and_archives_assets()
    {
        var output = await server.PythonAsync("assets.py");
        Assert.Equal(["workspaces", "datastores", "data", "models", "environments", "code"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith("ok ", StringComparison.Ordinal)).Select(l => l[3..].Trim()));
    }
}
