using System.Net;

namespace Zaffre.Tests.Http.Storage;

/// <summary>Bad input and what is not supported: status, code, body.</summary>
public sealed class BlobRefusalTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private BlobClient blobs = null!;

    public async Task InitializeAsync() => blobs = await BlobClient.CreateAsync(host, "refusaltests");

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("PUT", "/cont/a?comp=lease")]
    [InlineData("PUT", "/cont/a?comp=snapshot")]
    [InlineData("PUT", "/cont/a?comp=tier")]
    [InlineData("PUT", "/cont/a?comp=undelete")]
    [InlineData("PUT", "/cont/a?comp=page")]
    [InlineData("GET", "/cont/a?comp=tags")]
    [InlineData("GET", "/cont/a?snapshot=2026-01-01T00:00:00Z")]
    [InlineData("POST", "/cont/a?comp=query")]
    [InlineData("POST", "/?comp=batch")]
    [InlineData("POST", "/cont?restype=container&comp=batch")]
    [InlineData("PUT", "/cont?restype=container&comp=acl")]
    [InlineData("POST", "/?restype=service&comp=userdelegationkey")]
    [InlineData("PUT", "/cont/a?comp=whatever")]
    public async Task Unsupported_operations_name_themselves(string method, string target)
    {
        var reply = (await blobs.SendAsync(method, target, method == "GET" ? null : "")).Fails(400, "OperationNotSupported");
        var comp = target.Contains("snapshot=", StringComparison.Ordinal) ? "snapshot" : target[(target.IndexOf("comp=", StringComparison.Ordinal) + 5)..];
        Assert.Contains(comp, reply.Xml.Element("Message")!.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x-ms-access-tier", "Cool")]
    [InlineData("x-ms-encryption-key", "a2V5")]
    [InlineData("x-ms-tags", "a=b")]
    [InlineData("x-ms-structured-body", "XSM/1.0; properties=crc64")]
    [InlineData("x-ms-legal-hold", "true")]
    public async Task Headers_without_an_engine_are_refused_and_store_nothing(string header, string value)
    {
        var reply = (await blobs.PutAsync("refused", "x", (header, value))).Fails(400, "OperationNotSupported");
        Assert.Contains(header, reply.Text, StringComparison.Ordinal);
        (await blobs.GetAsync("refused")).Fails(404, "BlobNotFound");
    }

    [Fact]
    public async Task A_put_that_is_wrong_stores_nothing()
    {
        (await blobs.SendAsync("PUT", "/cont/wrong", "x")).Fails(400, "MissingRequiredHeader");
        (await blobs.SendAsync("PUT", "/cont/wrong", "x", ("x-ms-blob-type", "Heap"))).Fails(400, "InvalidHeaderValue");
        (await blobs.SendAsync("PUT", "/cont/wrong", "", ("x-ms-blob-type", "PageBlob"))).Fails(400, "OperationNotSupported");
        (await blobs.PutAsync("wrong", "x", ("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="))).Fails(400, "Md5Mismatch");
        (await blobs.PutAsync("wrong", "x", ("x-ms-blob-content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="))).Fails(400, "Md5Mismatch");
        (await blobs.PutAsync("wrong", "x", ("Content-MD5", "c2hvcnQ="))).Fails(400, "InvalidMd5");
        (await blobs.PutAsync("wrong", "x", ("x-ms-meta-a-b", "1"))).Fails(400, "InvalidMetadata");
        (await blobs.PutAsync("wrong", "x", ("x-ms-meta-a", new string('m', 9000)))).Fails(400, "MetadataTooLarge");
        (await blobs.PutAsync("wrong", "x", ("x-ms-lease-id", Guid.NewGuid().ToString()))).Fails(412, "LeaseNotPresentWithBlobOperation");
        (await blobs.SendAsync("PUT", "/nope/wrong", "x", ("x-ms-blob-type", "BlockBlob"))).Fails(404, "ContainerNotFound");
        (await blobs.SendAsync("PUT", "/cont?restype=container", "", ("x-ms-blob-public-access", "blob"))).Fails(409, "PublicAccessNotPermitted");
        (await blobs.SendAsync("DELETE", "/cont/wrong", null)).Fails(404, "BlobNotFound");
        (await blobs.HeadAsync("wrong")).Fails(404, "BlobNotFound", hasBody: false);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(host.Root, "blobs", ".tmp")));
    }

    [Theory]
    [InlineData("/cont/%e4", "InvalidUri")]
    [InlineData("/cont/..%2F..%2Fetc%2Fpasswd", "InvalidResourceName")]
    [InlineData("/cont/a%2F..%2Fb", "InvalidResourceName")]
    [InlineData("/..%2Fcont/a", "InvalidResourceName")]
    [InlineData("/.blocks/a", "InvalidResourceName")]
    public async Task Names_that_are_none_are_refused_for_reading_and_writing(string target, string code)
    {
        foreach (var method in (string[])["GET", "PUT", "DELETE"])
        {
            // Unsigned: the name is refused before anything else is looked at.
            (await blobs.SendAsync(method, target, null, sign: false, ("x-ms-blob-type", "BlockBlob"))).Fails(400, code);
        }
    }

    [Fact]
    public async Task An_over_long_name_is_refused()
    {
        (await blobs.PutAsync(new string('a', 1024), "x")).Is(HttpStatusCode.Created);
        (await blobs.PutAsync(new string('a', 1025), "x")).Fails(400, "InvalidResourceName");
        (await blobs.PutAsync(string.Join('/', Enumerable.Repeat("s", 255)), "x")).Fails(400, "InvalidResourceName");
    }

    [Fact]
    public async Task An_unknown_account_is_named() =>
        Assert.Contains("nobody", (await new BlobClient(host, "nobody", blobs.Key).GetAsync("a")).Fails(404, "ResourceNotFound").Text, StringComparison.Ordinal);

    [Fact]
    public async Task No_route_of_another_surface_is_reached_through_a_blob_host() =>
        (await blobs.SendAsync("GET", "/subscriptions?api-version=2022-12-01", null, sign: false)).Fails(400, "OperationNotSupported");

    [Fact]
    public async Task An_unknown_verb_is_refused() => (await blobs.SendAsync("PATCH", "/cont/a", "")).Fails(405, "UnsupportedHttpVerb");
}
