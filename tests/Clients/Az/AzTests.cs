namespace Zaffre.Tests.Clients.Az;

[Collection(ZaffreServer.OfAssets)]
public sealed class AzTests(ZaffreServer server)
{
    private static readonly string[] Everything = ["cloud", "sign_in", "account", "groups", "rest", "resources", "deployments", "storage", "strangers", "sign_out"];

    [Fact]
    public async Task The_cli_works_through_the_proxy_under_azures_own_names() => Assert.Equal(Everything, await StepsAsync(Sdks.Proxy, "proxy"));

    [Fact]
    public async Task The_cli_works_with_the_cloud_that_the_metadata_url_names() => Assert.Equal(Everything, await StepsAsync(Sdks.Direct, "cloud"));

    [Fact]
    public async Task The_cli_works_with_a_cloud_that_was_registered() =>
        Assert.Equal(["cloud", "sign_in", "groups", "sign_out"], await StepsAsync(Sdks.Direct, "register"));

    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task A_signed_in_cli_is_a_credential_for_the_sdk(Sdk sdk, string mode) =>
        Assert.Equal(["sign_in", "credential", "sign_out"], await server.StepsAsync(sdk, mode, "azure_cli_credential.py"));

    // The CLI's packages are the system's, so its script runs with the system's Python.
    private Task<string[]> StepsAsync(string mode, string way) => server.StepsAsync(Sdk.Oldest, mode, "az.py", way);
}
