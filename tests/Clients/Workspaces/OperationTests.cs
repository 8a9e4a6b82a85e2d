namespace Zaffre.Tests.Clients.Workspaces;

[Collection(ZaffreServer.OfAssets)]
public sealed class OperationTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_poller_of_the_sdks_follows_every_form_of_an_operation(Sdk sdk, string mode) =>
        Assert.Equal(["at_once", "by_status", "by_result", "refused"], await server.StepsAsync(sdk, mode, "operations.py", mode));
}
