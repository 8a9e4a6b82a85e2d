namespace Zaffre.Tests.Clients.Storage;

[Collection(ZaffreServer.Collection)]
public sealed class BlobTests(ZaffreServer server)
{
    [Fact]
    public async Task The_vanilla_blob_client_puts_gets_lists_and_is_refused()
    {
        var output = await server.PythonAsync("blobs.py");
        Assert.Equal(
            ["small", "large", "blocks", "listing", "append_and_copy", "containers", "signatures_and_tokens", "delete"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.StartsWith("ok ", StringComparison.Ordinal)).Select(l => l[3..].Trim()));
    }
}
