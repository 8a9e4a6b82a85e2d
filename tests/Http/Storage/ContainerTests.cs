using System.Net;
using Zaffre.Storage;

namespace Zaffre.Tests.Http.Storage;

public sealed class ContainerTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private BlobClient blobs = null!;

    public async Task InitializeAsync() => blobs = await BlobClient.CreateAsync(host, "containertests");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_container_is_made_described_listed_and_deleted_with_its_blobs()
    {
        (await blobs.SendAsync("PUT", "/fresh?restype=container", "", ("x-ms-meta-k", "v"))).Is(HttpStatusCode.Created);
        (await blobs.SendAsync("PUT", "/fresh?restype=container", "")).Fails(409, "ContainerAlreadyExists");
        var head = (await blobs.SendAsync("HEAD", "/fresh?restype=container", null)).Is(HttpStatusCode.OK);
        Assert.Equal(("v", "available"), (head["x-ms-meta-k"], head["x-ms-lease-state"]));
        Assert.NotNull(head["ETag"]);
        (await blobs.SendAsync("PUT", "/fresh?restype=container&comp=metadata", "", ("x-ms-meta-l", "w"))).Is(HttpStatusCode.OK);
        Assert.Equal("w", (await blobs.SendAsync("GET", "/fresh?restype=container&comp=metadata", null))["x-ms-meta-l"]);
        (await blobs.SendAsync("PUT", "/fresh/a/b", "x", ("x-ms-blob-type", "BlockBlob"))).Is(HttpStatusCode.Created);
        Assert.Equal(["cont", "fresh"], (await blobs.SendAsync("GET", "/?comp=list", null)).Is(HttpStatusCode.OK).Xml.Descendants("Name").Select(n => n.Value));
        (await blobs.SendAsync("DELETE", "/fresh?restype=container", null)).Is(HttpStatusCode.Accepted);
        (await blobs.SendAsync("DELETE", "/fresh?restype=container", null)).Fails(404, "ContainerNotFound");
        (await blobs.SendAsync("GET", "/fresh/a/b", null)).Fails(404, "ContainerNotFound");
        (await blobs.SendAsync("GET", "/fresh?restype=container&comp=list", null)).Fails(404, "ContainerNotFound");
    }

    [Fact]
    public async Task A_listing_pages_rolls_up_and_tells_properties_and_metadata()
    {
        foreach (var name in (string[])["l/a.txt", "l/b/1", "l/b/2", "l/c%3C%3E"])
        {
            (await blobs.PutAsync(name, "x", ("x-ms-meta-k", "v"), ("x-ms-blob-content-type", "text/plain"))).Is(HttpStatusCode.Created);
        }

        var page = (await blobs.ListAsync("&prefix=l/&delimiter=/&maxresults=2&include=metadata")).Is(HttpStatusCode.OK).Xml;
        Assert.Equal(["l/a.txt"], page.Descendants("Blob").Select(b => b.Element("Name")!.Value));
        Assert.Equal(["l/b/"], page.Descendants("BlobPrefix").Select(b => b.Element("Name")!.Value));
        var blob = page.Descendants("Blob").Single();
        Assert.Equal(("1", "text/plain", "BlockBlob", "v"), (Property("Content-Length"), Property("Content-Type"), Property("BlobType"), blob.Element("Metadata")!.Element("k")!.Value));
        Assert.Equal((await blobs.HeadAsync("l/a.txt"))["ETag"], $"\"{Property("Etag")}\"");
        var rest = (await blobs.ListAsync("&prefix=l/&delimiter=/&maxresults=2&marker=" + Uri.EscapeDataString(page.Element("NextMarker")!.Value))).Xml;
        Assert.Equal(["l/c<>"], rest.Descendants("Name").Select(n => n.Value));
        Assert.Empty(rest.Element("NextMarker")!.Value);
        Assert.Equal(["l/a.txt", "l/b/1", "l/b/2", "l/c<>"], (await blobs.ListAsync("&prefix=l/")).Xml.Descendants("Name").Select(n => n.Value));

        string Property(string name) => blob.Element("Properties")!.Element(name)!.Value;
    }

    [Theory]
    [InlineData("&maxresults=0", "OutOfRangeQueryParameterValue")]
    [InlineData("&maxresults=many", "OutOfRangeQueryParameterValue")]
    [InlineData("&marker=mine", "OutOfRangeQueryParameterValue")]
    [InlineData("&prefix=%00", "InvalidUri")]
    [InlineData("&startFrom=a", "OperationNotSupported")]
    public async Task A_wrong_listing_is_refused(string query, string code) => (await blobs.ListAsync(query)).Fails(400, code);

    [Theory]
    [InlineData("/Upper?restype=container")]
    [InlineData("/ab?restype=container")]
    [InlineData("/a--b?restype=container")]
    [InlineData("/cont%2Fdeep?restype=container")]
    public async Task A_container_name_must_be_legal(string target) => (await blobs.SendAsync("PUT", target, "")).Fails(400, "InvalidResourceName");

    [Fact]
    public async Task The_account_says_what_it_is()
    {
        Assert.Equal("StorageV2", (await blobs.SendAsync("GET", "/?restype=account&comp=properties", null)).Is(HttpStatusCode.OK)["x-ms-account-kind"]);
        Assert.Equal("StorageServiceProperties", (await blobs.SendAsync("GET", "/?restype=service&comp=properties", null)).Is(HttpStatusCode.OK).Xml.Name.LocalName);
    }

    [Fact]
    public async Task A_container_survives_as_long_as_its_folder()
    {
        var store = host.Get<IBlobStore>();
        var path = store.TryGetLocalPath(new BlobAddress(blobs.Account, BlobClient.Container, ""))!;
        await File.WriteAllTextAsync(Path.Combine(path, "dropped-in"), "by hand");
        Assert.Contains("dropped-in", (await blobs.ListAsync()).Xml.Descendants("Name").Select(n => n.Value));
        Assert.Equal("by hand", (await blobs.GetAsync("dropped-in")).Text);
    }
}
