using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Zaffre.Tests.Http.Storage;

/// <summary>Writes whose bytes come from another blob.</summary>
public sealed class CopyTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private BlobClient blobs = null!;

    private (string Name, string Value) Source => ("x-ms-copy-source", $"https://{blobs.Host}/cont/source");

    public async Task InitializeAsync()
    {
        blobs = await BlobClient.CreateAsync(host, "copytests");
        (await blobs.PutAsync("source", "0123456789", ("x-ms-blob-content-type", "text/plain"), ("x-ms-meta-k", "v"))).Is(HttpStatusCode.Created);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_concluded_copy_is_told_by_the_properties_until_the_blob_is_written_anew()
    {
        var copy = (await blobs.SendAsync("PUT", "/cont/told", "", ("x-ms-copy-source", $"https://{blobs.Host}/cont/source?comp=ignored&sig"))).Fails(403, "AuthenticationFailed");
        Assert.Null(copy["x-ms-copy-id"]);
        copy = (await blobs.SendAsync("PUT", "/cont/told", "", Source)).Is(HttpStatusCode.Accepted);
        var told = await blobs.HeadAsync("told");
        Assert.Equal((copy["x-ms-copy-id"], "success", "10/10", Source.Value), (told["x-ms-copy-id"], told["x-ms-copy-status"], told["x-ms-copy-progress"], told["x-ms-copy-source"]));
        Assert.NotNull(told["x-ms-copy-completion-time"]);
        Assert.Contains(copy["x-ms-copy-id"]!, (await blobs.ListAsync("&include=copy")).Text, StringComparison.Ordinal);

        (await blobs.SendAsync("PUT", "/cont/told?comp=metadata", "", ("x-ms-meta-a", "b"))).Is(HttpStatusCode.OK);
        Assert.Equal("success", (await blobs.HeadAsync("told"))["x-ms-copy-status"]);
        (await blobs.PutAsync("told", "else")).Is(HttpStatusCode.Created);
        Assert.Null((await blobs.HeadAsync("told"))["x-ms-copy-status"]);
        (await blobs.SendAsync("PUT", $"/cont/told?comp=copy&copyid={Guid.NewGuid()}", "", ("x-ms-copy-action", "abort"))).Fails(409, "NoPendingCopyOperation");
    }

    [Fact]
    public async Task A_blob_a_block_and_an_append_are_taken_from_a_url()
    {
        var put = (await blobs.SendAsync("PUT", "/cont/put", "", Source, ("x-ms-blob-type", "BlockBlob"), ("x-ms-blob-cache-control", "no-store"))).Is(HttpStatusCode.Created);
        Assert.Equal(Md5("0123456789"), put["Content-MD5"]);
        var read = await blobs.GetAsync("put");
        Assert.Equal(("0123456789", "text/plain", "v", "no-store"), (read.Text, read["Content-Type"], read["x-ms-meta-k"], read["Cache-Control"]));
        (await blobs.SendAsync("PUT", "/cont/bare", "", Source, ("x-ms-blob-type", "BlockBlob"), ("x-ms-copy-source-blob-properties", "false"))).Is(HttpStatusCode.Created);
        read = await blobs.GetAsync("bare");
        Assert.Equal(("application/octet-stream", null), (read["Content-Type"], read["x-ms-meta-k"]));

        (await blobs.SendAsync("PUT", "/cont/staged?comp=block&blockid=MQ%3D%3D", "", Source, ("x-ms-source-range", "bytes=3-5"), ("x-ms-source-content-md5", Md5("345")))).Is(HttpStatusCode.Created);
        (await blobs.SendAsync("PUT", "/cont/staged?comp=blocklist", "<BlockList><Latest>MQ==</Latest></BlockList>")).Is(HttpStatusCode.Created);
        Assert.Equal("345", (await blobs.GetAsync("staged")).Text);

        (await blobs.SendAsync("PUT", "/cont/log", "", ("x-ms-blob-type", "AppendBlob"))).Is(HttpStatusCode.Created);
        var append = (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", "", Source, ("x-ms-source-range", "bytes=8-"))).Is(HttpStatusCode.Created);
        Assert.Equal(("0", Md5("89")), (append["x-ms-blob-append-offset"], append["Content-MD5"]));
        Assert.Equal("89", (await blobs.GetAsync("log")).Text);
    }

    [Fact]
    public async Task What_is_wrong_with_a_source_is_said_and_nothing_is_written()
    {
        var etag = (await blobs.HeadAsync("source"))["ETag"]!;
        await FailsAsync(412, "SourceConditionNotMet", Source, ("x-ms-source-if-match", "\"0x0\""));
        await FailsAsync(412, "SourceConditionNotMet", Source, ("x-ms-source-if-none-match", etag));
        await FailsAsync(416, "InvalidRange", Source, ("x-ms-source-range", "bytes=100-"));
        await FailsAsync(400, "Md5Mismatch", Source, ("x-ms-source-content-md5", Md5("other")));
        await FailsAsync(400, "OperationNotSupported", Source, ("x-ms-source-content-crc64", "AAAAAAAAAAA="));
        await FailsAsync(400, "OperationNotSupported", ("x-ms-copy-source", "https://example.com/cont/source"));
        await FailsAsync(404, "BlobNotFound", ("x-ms-copy-source", $"https://{blobs.Host}/cont/absent"));
        await FailsAsync(404, "CannotVerifyCopySource", ("x-ms-copy-source", $"https://{blobs.Host}/cont/../other"));
        (await blobs.SendAsync("PUT", "/cont/wrong", "", Source, ("x-ms-blob-type", "AppendBlob"))).Fails(400, "InvalidHeaderValue");
        (await blobs.SendAsync("PUT", "/cont/wrong?comp=page", "", Source)).Fails(400, "OperationNotSupported");
        (await blobs.GetAsync("wrong")).Fails(404, "BlobNotFound");
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(host.Root, "blobs", ".tmp")));
    }

    [Fact]
    public async Task Text_that_no_header_can_carry_is_refused_before_it_is_kept()
    {
        (await blobs.PutAsync("odd", "x", ("x-ms-meta-a", "\u00fc"))).Fails(400, "InvalidMetadata");
        (await blobs.PutAsync("odd", "x", ("x-ms-blob-content-disposition", "attachment; filename=\u00fc"))).Fails(400, "InvalidHeaderValue");
        (await blobs.GetAsync("source?rsct=text%0Aplain")).Fails(400, "InvalidQueryParameterValue");
        (await blobs.GetAsync("odd")).Fails(404, "BlobNotFound");
    }

    private async Task FailsAsync(int status, string code, params (string Name, string Value)[] headers) =>
        (await blobs.SendAsync("PUT", "/cont/wrong", "", headers)).Fails(status, code);

#pragma warning disable CA5351 // MD5 is what the protocol speaks.
    private static string Md5(string text) => Convert.ToBase64String(MD5.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5351
}
