using System.Net;
using System.Text;

namespace Zaffre.Tests.Http.Storage;

public sealed class BlockTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private BlobClient blobs = null!;

    public async Task InitializeAsync() => blobs = await BlobClient.CreateAsync(host, "blocktests");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Blocks_become_a_blob_in_the_order_of_the_list_and_can_be_used_again()
    {
        await BlockAsync("blob", "1", "one-");
        await BlockAsync("blob", "2", "two-");
        await BlockAsync("blob", "3", "unused");
        (await blobs.GetAsync("blob")).Fails(404, "BlobNotFound");
        (await CommitAsync("blob", "<Latest>2</Latest><Uncommitted>1</Uncommitted>", ("x-ms-blob-content-type", "text/plain"), ("x-ms-meta-k", "v"))).Is(HttpStatusCode.Created);
        var get = await blobs.GetAsync("blob");
        Assert.Equal(("two-one-", "text/plain", "v"), (get.Text, get["Content-Type"], get["x-ms-meta-k"]));

        await BlockAsync("blob", "4", "four");
        var list = (await blobs.SendAsync("GET", "/cont/blob?comp=blocklist&blocklisttype=all", null)).Is(HttpStatusCode.OK).Xml;
        Assert.Equal([Id("2"), Id("1")], list.Element("CommittedBlocks")!.Elements().Select(b => b.Element("Name")!.Value));
        Assert.Equal([Id("4")], list.Element("UncommittedBlocks")!.Elements().Select(b => b.Element("Name")!.Value));
        (await CommitAsync("blob", "<Committed>1</Committed><Latest>4</Latest><Latest>2</Latest>")).Is(HttpStatusCode.Created);
        Assert.Equal("one-fourtwo-", (await blobs.GetAsync("blob")).Text);
        (await CommitAsync("blob", "<Uncommitted>4</Uncommitted>")).Fails(400, "InvalidBlockList");
        (await CommitAsync("blob", "")).Is(HttpStatusCode.Created);
        Assert.Empty((await blobs.GetAsync("blob")).Is(HttpStatusCode.OK).Bytes);
    }

    [Theory]
    [InlineData("<Latest>9</Latest>", "InvalidBlockList")]
    [InlineData("<Latest>1</Latest><Latest>1</Latest>", "InvalidBlockList")]
    [InlineData("<Committed>1</Committed>", "InvalidBlockList")]
    [InlineData("<Newest>1</Newest>", "InvalidXmlDocument")]
    [InlineData("<Latest>1</Latest", "InvalidXmlDocument")]
    public async Task A_wrong_list_commits_nothing_and_keeps_the_blocks(string list, string code)
    {
        await BlockAsync("wrong", "1", "x");
        (await CommitAsync("wrong", list)).Fails(400, code);
        (await blobs.GetAsync("wrong")).Fails(404, "BlobNotFound");
        (await CommitAsync("wrong", "<Latest>1</Latest>")).Is(HttpStatusCode.Created);
        await blobs.SendAsync("DELETE", "/cont/wrong", null);
    }

    [Fact]
    public async Task External_entities_and_lists_of_too_many_blocks_are_refused()
    {
        const string entity = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY e SYSTEM "file:///etc/passwd">]><BlockList><Latest>&e;</Latest></BlockList>""";
        (await blobs.SendAsync("PUT", "/cont/x?comp=blocklist", entity)).Fails(400, "InvalidXmlDocument");
        (await blobs.SendAsync("PUT", "/cont/x?comp=blocklist", "")).Fails(400, "InvalidXmlDocument");
        var many = string.Concat(Enumerable.Range(0, 50_001).Select(i => $"<Latest>{i:D6}</Latest>"));
        (await CommitAsync("x", many)).Fails(400, "BlockListTooLong");
    }

    [Fact]
    public async Task Block_ids_are_base64_of_one_length_per_blob()
    {
        (await blobs.SendAsync("PUT", "/cont/ids?comp=block", "x")).Fails(400, "MissingRequiredQueryParameter");
        (await blobs.SendAsync("PUT", "/cont/ids?comp=block&blockid=%21", "x")).Fails(400, "InvalidQueryParameterValue");
        (await blobs.SendAsync("PUT", "/cont/ids?comp=block&blockid=" + Uri.EscapeDataString(Convert.ToBase64String(new byte[65])), "x")).Fails(400, "InvalidQueryParameterValue");
        await BlockAsync("ids", "1", "x");
        (await blobs.SendAsync("PUT", $"/cont/ids?comp=block&blockid={Uri.EscapeDataString(Convert.ToBase64String("long"u8.ToArray()))}", "x")).Fails(400, "InvalidBlobOrBlock");
        (await blobs.SendAsync("PUT", "/cont/ids?comp=block&blockid=MQ%3D%3D", "x", ("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="))).Fails(400, "Md5Mismatch");
        (await blobs.SendAsync("GET", "/cont/ids?comp=blocklist&blocklisttype=some", null)).Fails(400, "InvalidQueryParameterValue");
        (await blobs.SendAsync("GET", "/cont/none?comp=blocklist", null)).Fails(404, "BlobNotFound");
        (await blobs.SendAsync("PUT", "/nope/ids?comp=block&blockid=MQ%3D%3D", "x")).Fails(404, "ContainerNotFound");
    }

    [Fact]
    public async Task A_list_over_an_existing_blob_obeys_its_condition()
    {
        await blobs.PutAsync("exists", "old");
        await BlockAsync("exists", "1", "new");
        (await CommitAsync("exists", "<Latest>1</Latest>", ("If-None-Match", "*"))).Fails(409, "BlobAlreadyExists");
        Assert.Equal("old", (await blobs.GetAsync("exists")).Text);
    }

    private static string Id(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private async Task BlockAsync(string blob, string id, string content) =>
        (await blobs.SendAsync("PUT", $"/cont/{blob}?comp=block&blockid={Uri.EscapeDataString(Id(id))}", content)).Is(HttpStatusCode.Created);

    private Task<BlobReply> CommitAsync(string blob, string list, params (string Name, string Value)[] headers)
    {
        var body = System.Text.RegularExpressions.Regex.Replace(list, ">(?<id>[0-9]+)<", match => $">{Id(match.Groups["id"].Value)}<", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5));
        return blobs.SendAsync("PUT", $"/cont/{blob}?comp=blocklist", $"<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{body}</BlockList>", headers);
    }
}
