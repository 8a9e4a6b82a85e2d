namespace Zaffre.Tests.Clients.Storage;

[Collection(ZaffreServer.Collection)]
public sealed class BlobTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_blob_client_puts_gets_lists_and_is_refused(Sdk sdk, string mode)
    {
        var steps = await server.StepsAsync(sdk, mode, "blobs.py");
        Assert.Equal(
            ["small", "large", "blocks", "listing", "append_and_copy", "containers", "signatures_and_tokens", "delete"],
            steps);
    }
}
