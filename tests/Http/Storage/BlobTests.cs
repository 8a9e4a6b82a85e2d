using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Storage;

namespace Zaffre.Tests.Http.Storage;

public sealed class BlobTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private BlobClient blobs = null!;

    public async Task InitializeAsync() => blobs = await BlobClient.CreateAsync(host, "blobtests");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_blob_comes_back_with_everything_that_was_sent()
    {
        var put = (await blobs.PutAsync("dir/a%20b.txt", "hello world", ("Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="), ("x-ms-blob-content-type", "text/plain"),
            ("x-ms-blob-cache-control", "no-store"), ("x-ms-meta-Upload_Status", "completed"))).Is(HttpStatusCode.Created);
        var get = (await blobs.GetAsync("dir/a%20b.txt")).Is(HttpStatusCode.OK);
        Assert.Equal("hello world", get.Text);
        Assert.Equal(("text/plain", "11", "no-store", "completed", "BlockBlob", "bytes"),
            (get["Content-Type"], get["Content-Length"], get["Cache-Control"], get["x-ms-meta-upload_status"], get["x-ms-blob-type"], get["Accept-Ranges"]));
        Assert.Equal(("XrY7u+Ae7tCTyyK7j1rNww==", put["ETag"]), (get["Content-MD5"], get["ETag"]));
        var head = (await blobs.HeadAsync("dir/a%20b.txt")).Is(HttpStatusCode.OK);
        Assert.Equal(("11", put["ETag"], "completed"), (head["Content-Length"], head["ETag"], head["x-ms-meta-Upload_Status"]));
        Assert.Empty(head.Bytes);
        Assert.Equal("2021-12-02", get["x-ms-version"]);
    }

    [Theory]
    [InlineData("bytes=0-4", 206, "01234", "bytes 0-4/10")]
    [InlineData("bytes=5-", 206, "56789", "bytes 5-9/10")]
    [InlineData("bytes=8-100", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=-3", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    [InlineData("bytes=6-5", 416, null, "bytes */10")]
    [InlineData("bytes=-0", 416, null, "bytes */10")]
    [InlineData("bytes=99999999999999999999-", 416, null, "bytes */10")]
    [InlineData("bytes=a-b", 400, null, null)]
    [InlineData("bytes=0-1,3-4", 400, null, null)]
    [InlineData("lines=0-1", 400, null, null)]
    public async Task Ranges_are_served_or_refused(string range, int status, string? content, string? contentRange)
    {
        await blobs.PutAsync("ranges", "0123456789");
        foreach (var header in range.Contains(',', StringComparison.Ordinal) ? (string[])["x-ms-range"] : ["Range", "x-ms-range"])
        {
            var get = await blobs.GetAsync("ranges", (header, range));
            if (content is null)
            {
                get.Fails(status, status == 416 ? "InvalidRange" : "InvalidHeaderValue");
            }
            else
            {
                Assert.Equal((status, content), ((int)get.Status, get.Text));
            }

            Assert.Equal(contentRange, get["Content-Range"]);
        }
    }

    [Fact]
    public async Task An_empty_blob_has_no_range()
    {
        await blobs.PutAsync("empty");
        (await blobs.GetAsync("empty", ("x-ms-range", "bytes=0-33554431"))).Fails(416, "InvalidRange");
        Assert.Empty((await blobs.GetAsync("empty")).Is(HttpStatusCode.OK).Bytes);
    }

    [Fact]
    public async Task A_range_can_carry_its_own_hash()
    {
        await blobs.PutAsync("hashed", "hello world!");
        var get = (await blobs.GetAsync("hashed", ("x-ms-range", "bytes=0-10"), ("x-ms-range-get-content-md5", "true"))).Is(HttpStatusCode.PartialContent);
        Assert.Equal("XrY7u+Ae7tCTyyK7j1rNww==", get["Content-MD5"]);
        Assert.NotNull(get["x-ms-blob-content-md5"]);
    }

    [Fact]
    public async Task Conditions_guard_reads_and_writes()
    {
        var etag = (await blobs.PutAsync("cond", "1"))["ETag"]!;
        (await blobs.PutAsync("cond", "2", ("If-None-Match", "*"))).Fails(409, "BlobAlreadyExists");
        (await blobs.PutAsync("cond", "2", ("If-Match", "\"0xother\""))).Fails(412, "ConditionNotMet");
        (await blobs.PutAsync("cond-new", "2", ("If-Match", "*"))).Fails(412, "ConditionNotMet");
        (await blobs.GetAsync("cond", ("If-None-Match", etag))).Fails(304, "ConditionNotMet", hasBody: false);
        (await blobs.GetAsync("cond", ("If-Match", "\"0xother\""))).Fails(412, "ConditionNotMet");
        (await blobs.GetAsync("cond", ("If-Modified-Since", DateTime.UtcNow.AddHours(1).ToString("r")))).Fails(304, "ConditionNotMet", hasBody: false);
        (await blobs.GetAsync("cond", ("If-Unmodified-Since", DateTime.UtcNow.AddHours(-1).ToString("r")))).Fails(412, "ConditionNotMet");
        (await blobs.GetAsync("cond", ("If-Modified-Since", "yesterday"))).Fails(400, "InvalidHeaderValue");
        Assert.Equal("1", (await blobs.GetAsync("cond", ("If-Match", etag))).Is(HttpStatusCode.OK).Text);
        var changed = (await blobs.PutAsync("cond", "2", ("If-Match", etag))).Is(HttpStatusCode.Created)["ETag"]!;
        Assert.NotEqual(etag, changed);
        (await blobs.SendAsync("DELETE", "/cont/cond", null, ("If-Match", etag))).Fails(412, "ConditionNotMet");
        (await blobs.SendAsync("DELETE", "/cont/cond", null, ("If-Match", changed))).Is(HttpStatusCode.Accepted);
        (await blobs.GetAsync("cond")).Fails(404, "BlobNotFound");
    }

    [Fact]
    public async Task Changing_metadata_and_headers_changes_the_ETag_and_nothing_else()
    {
        var first = (await blobs.PutAsync("meta", "x", ("x-ms-blob-content-type", "text/csv"), ("x-ms-meta-a", "1")))["ETag"];
        var second = (await blobs.SendAsync("PUT", "/cont/meta?comp=metadata", "", ("x-ms-meta-b", "2"))).Is(HttpStatusCode.OK)["ETag"];
        var head = await blobs.HeadAsync("meta");
        Assert.Equal((null, "2", "text/csv", second), (head["x-ms-meta-a"], head["x-ms-meta-b"], head["Content-Type"], head["ETag"]));
        Assert.NotEqual(first, second);
        (await blobs.SendAsync("PUT", "/cont/meta?comp=properties", "", ("x-ms-blob-content-type", "text/plain"))).Is(HttpStatusCode.OK);
        var get = await blobs.SendAsync("GET", "/cont/meta?comp=metadata", null);
        Assert.Equal(("2", ""), (get["x-ms-meta-b"], get.Text));
        Assert.Equal("text/plain", (await blobs.HeadAsync("meta"))["Content-Type"]);
    }

    [Fact]
    public async Task An_append_blob_grows_and_checks_its_position()
    {
        (await blobs.SendAsync("PUT", "/cont/log", "", ("x-ms-blob-type", "AppendBlob"))).Is(HttpStatusCode.Created);
        Assert.Equal("0", (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", "ab")).Is(HttpStatusCode.Created)["x-ms-blob-append-offset"]);
        Assert.Equal("2", (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", "c", ("x-ms-blob-condition-appendpos", "2"))).Is(HttpStatusCode.Created)["x-ms-blob-append-offset"]);
        (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", "d", ("x-ms-blob-condition-appendpos", "2"))).Fails(412, "AppendPositionConditionNotMet");
        (await blobs.SendAsync("PUT", "/cont/log?comp=appendblock", "d", ("x-ms-blob-condition-maxsize", "3"))).Fails(412, "MaxBlobSizeConditionNotMet");
        var get = await blobs.GetAsync("log");
        Assert.Equal(("abc", "AppendBlob"), (get.Text, get["x-ms-blob-type"]));
        await blobs.PutAsync("block", "x");
        (await blobs.SendAsync("PUT", "/cont/block?comp=appendblock", "d")).Fails(409, "InvalidBlobType");
        (await blobs.SendAsync("PUT", "/cont/no-log?comp=appendblock", "d")).Fails(404, "BlobNotFound");
    }

    [Fact]
    public async Task A_blob_is_copied_with_its_properties()
    {
        await blobs.PutAsync("source", "content", ("x-ms-blob-content-type", "text/plain"), ("x-ms-meta-k", "v"));
        var copy = (await blobs.SendAsync("PUT", "/cont/target", "", ("x-ms-copy-source", $"https://{blobs.Host}/cont/source"))).Is(HttpStatusCode.Accepted);
        Assert.Equal("success", copy["x-ms-copy-status"]);
        var get = await blobs.GetAsync("target");
        Assert.Equal(("content", "text/plain", "v"), (get.Text, get["Content-Type"], get["x-ms-meta-k"]));
        (await blobs.SendAsync("PUT", "/cont/target", "", ("x-ms-copy-source", "https://example.com/a"))).Fails(400, "OperationNotSupported");
        (await blobs.SendAsync("PUT", "/cont/target", "", ("x-ms-copy-source", $"https://{blobs.Host}/../secret"))).Fails(404, "CannotVerifyCopySource");
    }

    [Fact]
    public async Task A_growing_file_is_served_as_long_as_it_is()
    {
        var folder = host.Services.GetRequiredService<IBlobStore>().EnsureFolder(new BlobAddress(blobs.Account, BlobClient.Container, "job/user_logs")).Value;
        await File.WriteAllTextAsync(Path.Combine(folder, "std_log.txt"), "one\n");
        var first = await blobs.GetAsync("job/user_logs/std_log.txt");
        await File.AppendAllTextAsync(Path.Combine(folder, "std_log.txt"), "two\n");
        var second = await blobs.GetAsync("job/user_logs/std_log.txt");
        Assert.Equal(("one\n", "one\ntwo\n"), (first.Text, second.Text));
        Assert.NotEqual(first["ETag"], second["ETag"]);
    }

    [Theory]
    [InlineData("a//b")]
    [InlineData("trailing/")]
    [InlineData("~zf.qx")]
    [InlineData("%E6%BC%A2%E5%AD%97/%F0%9F%98%80")]
    [InlineData("a%2Fslash")]
    [InlineData("%01control")]
    public async Task Odd_names_are_names(string name)
    {
        (await blobs.PutAsync("odd/" + name, "x")).Is(HttpStatusCode.Created);
        Assert.Equal("x", (await blobs.GetAsync("odd/" + name)).Is(HttpStatusCode.OK).Text);
        var listed = (await blobs.ListAsync("&prefix=odd%2F")).Is(HttpStatusCode.OK).Xml.Descendants("Name").Select(n => (string?)n.Attribute("Encoded") == "true" ? Uri.UnescapeDataString(n.Value) : n.Value);
        Assert.Contains("odd/" + Uri.UnescapeDataString(name), listed);
        (await blobs.SendAsync("DELETE", "/cont/odd/" + name, null)).Is(HttpStatusCode.Accepted);
    }
}
