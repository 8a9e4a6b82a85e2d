namespace Zaffre.Tests.Clients.Npm;

/// <summary>Azure's packages for JavaScript, unmodified.</summary>
[Collection(ZaffreServer.OfAssets)]
public sealed class JavaScriptTests(ZaffreServer server)
{
    [Theory]
    [InlineData(Sdks.Proxy)]
    [InlineData(Sdks.Direct)]
    public async Task The_arm_package_manages_a_workspace(string mode) =>
        Assert.Equal(["workspaces", "computes", "datastores", "assets", "jobs", "deleted_job", "mistakes"], await RunAsync(mode, "arm.mjs"));

    [Fact]
    public async Task Code_and_model_go_up_as_blobs_and_are_served() =>
        Assert.Equal(["assets", "endpoint", "deploy", "keys_and_scoring", "mistakes", "remove"], await RunAsync(Sdks.Proxy, "endpoints.mjs"));

    [Fact]
    public async Task The_blob_package_stores_lists_copies_signs_and_is_refused() => Assert.Equal(
        ["containers", "small", "large", "blocks", "append", "listing", "copies", "conditions", "signatures", "tokens_and_addresses", "refusals", "mistakes", "remove"],
        await RunAsync(Sdks.Proxy, "blobs.mjs"));

    private Task<string[]> RunAsync(string mode, string script) => server.StepsAsync(mode, ZaffreBinary.Node, Path.Combine(ZaffreBinary.JavaScript, script));
}
