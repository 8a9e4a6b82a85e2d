using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Tracking;

public sealed class TransferTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Artifacts = "/api/2.0/mlflow-artifacts/";

    [Fact]
    public async Task An_upload_in_parts_appears_whole_and_can_be_given_up()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var bare = host.Anonymous();
        var path = $"0/{await mlflow.RunAsync()}/artifacts/big/file.bin";
        var upload = await mlflow.PostAsync($"{Artifacts}mpu/create/{path}", new { path, num_parts = 3 });
        var credentials = upload.GetProperty("credentials").EnumerateArray().ToList();
        Assert.Equal([1L, 2, 3], credentials.Select(part => part.GetProperty("part_number").GetInt64()));
        var parts = new List<object>();
        foreach (var part in credentials.AsEnumerable().Reverse())
        {
            var number = part.GetProperty("part_number").GetInt64();
            using var content = new StringContent(new string((char)('0' + number), 5));
            using var put = await bare.PutAsync(new Uri(part.GetProperty("url").GetString()!), content);
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
            parts.Add(new { part_number = number, etag = put.Headers.ETag!.ToString(), url = part.GetProperty("url").GetString() });
        }

        var id = upload.GetProperty("upload_id").GetString();
        await mlflow.FailsAsync($"{Artifacts}mpu/complete/{path}x", new { upload_id = id, parts }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "upload_id is not one of this path");
        await mlflow.FailsAsync($"{Artifacts}mpu/complete/{path}", new { upload_id = id, parts = new[] { new { part_number = 1, etag = "\"other\"" } } }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Part 1 of the upload is not the one");
        await mlflow.FailsAsync($"{Artifacts}mpu/complete/{path}", new { upload_id = id, parts = new[] { new { part_number = 9, etag = "" } } }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Part 9 of the upload was not uploaded");
        await mlflow.PostAsync($"{Artifacts}mpu/complete/{path}", new { path, upload_id = id, parts });
        using (var whole = await mlflow.SendAsync("GET", $"{Artifacts}artifacts/{path}"))
        {
            Assert.Equal("111112222233333", await whole.Content.ReadAsStringAsync());
        }

        var other = await mlflow.PostAsync($"{Artifacts}mpu/create/{path}", new { path, num_parts = 1 });
        var url = other.GetProperty("credentials")[0].GetProperty("url").GetString()!;
        using (var content = new StringContent("x"))
        using (await bare.PutAsync(new Uri(url), content))
        {
            await mlflow.PostAsync($"{Artifacts}mpu/abort/{path}", new { path, upload_id = other.GetProperty("upload_id").GetString() });
        }

        await mlflow.FailsAsync($"{Artifacts}mpu/complete/{path}", new { upload_id = other.GetProperty("upload_id").GetString(), parts = new[] { new { part_number = 1, etag = "" } } }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "was not uploaded");
        await mlflow.FailsAsync($"{Artifacts}mpu/create/{path}", new { num_parts = 10_001 }, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid value 10001 for parameter 'num_parts'");
        await mlflow.FailsAsync($"{Artifacts}mpu/create/0/nobody/artifacts/x", new { num_parts = 1 }, HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST", "Run with id=nobody not found");
    }

    [Fact]
    public async Task A_signed_url_reads_ranges_or_writes_one_file_and_nothing_else()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var bare = host.Anonymous();
        var run = await mlflow.RunAsync();
        var upload = await mlflow.PostAsync("artifacts/presigned-upload-url", new { run_id = run, path = "a/b.txt", expiration = 60 });
        var put = new Uri(upload.GetProperty("presigned_url").GetString()!);
        using (var content = new StringContent("0123456789"))
        using (var written = await bare.PutAsync(put, content))
        {
            Assert.Equal(HttpStatusCode.OK, written.StatusCode);
        }

        var signed = await mlflow.GetAsync($"{Artifacts}presigned/0/{run}/artifacts/a/b.txt");
        Assert.Equal(10, signed.GetProperty("file_size").GetInt64());
        var get = new Uri(signed.GetProperty("url").GetString()!);
        using var request = new HttpRequestMessage(HttpMethod.Get, get) { Headers = { Range = new RangeHeaderValue(3, 5) } };
        using var part = await bare.SendAsync(request);
        Assert.Equal((HttpStatusCode.PartialContent, "345"), (part.StatusCode, await part.Content.ReadAsStringAsync()));

        foreach (var (method, url) in new[] { (HttpMethod.Get, put), (HttpMethod.Put, get), (HttpMethod.Get, new Uri(get + "x")), (HttpMethod.Get, new Uri(get.GetLeftPart(UriPartial.Path))) })
        {
            using var wrong = new HttpRequestMessage(method, url) { Content = method == HttpMethod.Put ? new StringContent("x") : null };
            using var refused = await bare.SendAsync(wrong);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("PERMISSION_DENIED", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error_code").GetString());
        }

        using var page = await mlflow.SendAsync("GET", $"/get-artifact?run_uuid={run}&path=a/b.txt");
        Assert.Equal("0123456789", await page.Content.ReadAsStringAsync());
        await mlflow.FailsAsync($"/get-artifact?run_uuid={run}&path=../x", null, HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE", "Invalid path", "GET");
    }

    [Fact]
    public async Task Azures_plugin_writes_lists_and_reads_by_signed_blob_urls()
    {
        using var mlflow = await Mlflow.OwnerAsync(host);
        using var owner = await host.OwnerAsync();
        var run = await mlflow.RunAsync();
        var root = $"/history/v1.0{host.Workspace.Id}/experimentids/0/runs/{run}/artifacts";
        using var body = JsonContent.Create(new { paths = new[] { new { path = "model/MLmodel" } } });
        var made = await JsonAsync(await owner.PostAsync(new Uri(root + "/batch/metadata", UriKind.Relative), body), HttpStatusCode.OK);
        var uri = (string)made["artifactContentInformation"]!["model/MLmodel"]!["contentUri"]!;
        Assert.Contains($"/ExperimentRun/dcid.{run}/model/MLmodel?", uri, StringComparison.Ordinal);
        Assert.Contains("sig=", uri, StringComparison.Ordinal);

        using (var put = await mlflow.SendAsync("PUT", $"{Artifacts}artifacts/0/{run}/artifacts/model/MLmodel", new StringContent("x")))
        {
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        }

        using var again = JsonContent.Create(new { paths = new[] { new { path = "model/MLmodel" } } });
        var conflict = await JsonAsync(await owner.PostAsync(new Uri(root + "/batch/metadata", UriKind.Relative), again), HttpStatusCode.Conflict);
        Assert.Contains($"Resource Conflict: ArtifactId ExperimentRun/dcid.{run}/model/MLmodel already exists", (string)conflict["error"]!["message"]!, StringComparison.Ordinal);
        var list = await JsonAsync(await owner.GetAsync(new Uri(root.Replace("experimentids/0", "experiments/Default", StringComparison.Ordinal), UriKind.Relative)), HttpStatusCode.OK);
        Assert.Equal("model/MLmodel", (string?)Assert.Single(list["value"]!.AsArray())!["path"]);
        Assert.NotNull((await JsonAsync(await owner.GetAsync(new Uri(root + "/contentinfo?path=model/MLmodel", UriKind.Relative)), HttpStatusCode.OK))["contentUri"]);
        Assert.Single((await JsonAsync(await owner.GetAsync(new Uri(root + "/prefix/contentinfo?path=model", UriKind.Relative)), HttpStatusCode.OK))["value"]!.AsArray());
        await JsonAsync(await owner.GetAsync(new Uri(root + "/contentinfo?path=model/none", UriKind.Relative)), HttpStatusCode.NotFound);
        await JsonAsync(await owner.GetAsync(new Uri(root + "/contentinfo?path=../x", UriKind.Relative)), HttpStatusCode.BadRequest);
        await JsonAsync(await owner.GetAsync(new Uri(root.Replace("experimentids/0", "experimentids/99999", StringComparison.Ordinal), UriKind.Relative)), HttpStatusCode.NotFound);
    }

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == answer.StatusCode, $"{(int)answer.StatusCode} {text}");
        answer.Dispose();
        return JsonNode.Parse(text)!;
    }
}
