namespace Zaffre.Tests.Clients.Storage;

[Collection(ZaffreServer.OfAssets)]
public sealed class BlobTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_vanilla_blob_client_puts_gets_lists_and_is_refused(Sdk sdk, string mode) => Assert.Equal(
        ["small", "large", "blocks", "listing", "append_and_copy", "containers", "signatures_and_tokens", "delete"],
        await server.StepsAsync(sdk, mode, "blobs.py"));

    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_rest_of_the_blob_client_works_or_is_refused_by_name(Sdk sdk, string mode) => Assert.Equal(
        [
            "uploads", "in_blocks_of_64_mib", "downloads", "properties_and_conditions", "listing", "copies", "signatures_and_addresses", "unusual_names",
            "refusals", "mistakes", "delete",
        ],
        await server.StepsAsync(sdk, mode, "blob_surface.py"));
}
