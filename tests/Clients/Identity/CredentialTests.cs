namespace Zaffre.Tests.Clients.Identity;

/// <summary>The official credential classes of three languages, in the environment that <c>zaffre exec</c> sets and no other.</summary>
[Collection(ZaffreServer.OfAssets)]
public sealed class CredentialTests(ZaffreServer server)
{
    [Theory]
    [InlineData(Sdk.Oldest, Sdks.Proxy)]
    [InlineData(Sdk.Oldest, Sdks.Direct)]
    [InlineData(Sdk.Newest, Sdks.Proxy)]
    [InlineData(Sdk.Newest, Sdks.Direct)]
    public async Task Python_gets_tokens_and_shows_why_it_gets_none(Sdk sdk, string mode) =>
        Assert.Equal(["client_secret", "default_and_environment", "tenant_by_id", "mistakes"], await server.StepsAsync(sdk, mode, "identity.py"));

    [Theory]
    [InlineData(Sdks.Proxy)]
    [InlineData(Sdks.Direct)]
    public async Task JavaScript_gets_tokens_and_shows_why_it_gets_none(string mode) =>
        Assert.Equal(["client_secret", "default_and_environment", "no_instance_discovery", "azure_cli", "mistakes"], await server.StepsAsync(mode, ZaffreBinary.Node, Path.Combine(ZaffreBinary.JavaScript, "identity.mjs")));

    [Theory]
    [InlineData(Sdks.Proxy)]
    [InlineData(Sdks.Direct)]
    public async Task Dotnet_gets_tokens_calls_with_them_and_shows_why_it_gets_none(string mode) =>
        Assert.Equal(["client_secret", "default_and_environment", "azure_cli", "mistakes"], await server.StepsAsync(mode, "dotnet", ZaffreBinary.Dotnet));
}
