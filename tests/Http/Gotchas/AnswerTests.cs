using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Storage;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Storage;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Gotchas;

/// <summary>What clients choke on in status codes, headers and URLs; docs/wire-notes.md names the fact that each test stands for.</summary>
public sealed class AnswerTests(ZaffreHost host) : IClassFixture<ZaffreHost>, IAsyncLifetime
{
    private const string Instance = """{"location":"local","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"STANDARD_DS3_v2"}}}""";
    private readonly Arm arm = new(host);
    private HttpClient client = null!;

    public async Task InitializeAsync() => client = host.With(await Tokens.OwnerAsync(host));

    public Task DisposeAsync()
    {
        client.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>6.1.</summary>
    [Theory]
    [InlineData("?api-version=2020-09-01-dataplanepreview")]
    [InlineData("?api-version=2099-01-01")]
    [InlineData("?api-version=v1.0")]
    [InlineData("?api-version=1.5.0&includeAll=true&forceToPurge=false&kind=hub&stage=x")]
    [InlineData("")]
    public async Task Any_api_version_is_taken_and_so_are_parameters_nobody_knows(string query)
    {
        using var answer = await client.GetAsync(new Uri($"{arm.Main.Id}/datastores/workspaceblobstore{query}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>6.3, 0.4: a client ignores 0 and sleeps for 30 seconds.</summary>
    [Fact]
    public async Task Operations_ask_to_be_polled_after_a_whole_second()
    {
        (await arm.PutAsync("~/computes/gotcha-three", Instance)).Ok();
        using var stop = await SendAsync(HttpMethod.Post, $"{arm.Main.Id}/computes/gotcha-three/stop?api-version=2022-10-01-preview");
        Assert.Equal("1", Assert.Single(stop.Headers.GetValues("Retry-After")));

        (await arm.PutAsync("~/environments/gotcha/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        (await arm.PutAsync("~/jobs/gotcha-three", Job("""{"command":"sleep 60"}"""))).Ok();
        using var cancel = await SendAsync(HttpMethod.Post, $"{arm.Main.Id}/jobs/gotcha-three/cancel?api-version=2022-10-01-preview");
        Assert.True(cancel.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted, cancel.StatusCode.ToString());
        foreach (var name in new[] { "Location", "Azure-AsyncOperation" })
        {
            if (cancel.Headers.TryGetValues(name, out var urls))
            {
                Assert.Equal("1", Assert.Single(cancel.Headers.GetValues("Retry-After")));
                using var poll = await client.GetAsync(new Uri(new Uri(Assert.Single(urls)).PathAndQuery, UriKind.Relative));
                Assert.True(!poll.Headers.TryGetValues("Retry-After", out var wait) || wait.Single() == "1", "a poll asks for another wait");
            }
        }
    }

    /// <summary>6.4: other codes of success raise in the client.</summary>
    [Fact]
    public async Task Each_route_succeeds_with_a_code_that_its_client_accepts()
    {
        Assert.Equal(HttpStatusCode.Created, (await arm.PutAsync("~/computes/gotcha-four", Instance)).Status);
        foreach (var action in new[] { "stop", "start", "restart" })
        {
            Assert.Equal(HttpStatusCode.Accepted, (await arm.PostAsync($"~/computes/gotcha-four/{action}")).Status);
        }

        const string Data = """{"properties":{"dataType":"uri_folder","dataUri":"azureml://datastores/workspaceblobstore/paths/x/"}}""";
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), ((await arm.PutAsync("~/data/gotcha-four/versions/1", Data)).Status, (await arm.PutAsync("~/data/gotcha-four/versions/1", Data)).Status));
        const string Environment = """{"properties":{"image":"debian"}}""";
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), ((await arm.PutAsync("~/environments/gotcha-four/versions/1", Environment)).Status, (await arm.PutAsync("~/environments/gotcha-four/versions/1", Environment)).Status));
        (await arm.PutAsync("~/environments/gotcha/versions/1", Environment)).Ok();
        var job = Job("""{"command":"true"}""");
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), ((await arm.PutAsync("~/jobs/gotcha-four", job)).Status, (await arm.PutAsync("~/jobs/gotcha-four", job)).Status));
    }

    /// <summary>6.5: 201 raises.</summary>
    [Fact]
    public async Task A_workspace_that_is_made_or_patched_is_200_and_never_201()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/gotcha-five";
        Assert.True((await arm.PutAsync(path, """{"location":"local","properties":{}}""")).Status is HttpStatusCode.OK or HttpStatusCode.Accepted);
        Assert.True((await arm.SendAsync(HttpMethod.Patch, path, """{"tags":{"a":"b"}}""")).Status is HttpStatusCode.OK or HttpStatusCode.Accepted);
    }

    /// <summary>6.12: no Authorization, no range, again and again.</summary>
    [Fact]
    public async Task A_log_is_read_by_its_url_alone_and_whole()
    {
        (await arm.PutAsync("~/environments/gotcha/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        (await arm.PutAsync("~/jobs/gotcha-twelve", Job("""{"command":"echo a line"}"""))).Ok();
        await new Jobs.JobClient(host).EndAsync("gotcha-twelve");
        using var details = await client.GetAsync(new Uri($"/history/v1.0{arm.Main.Id}/runs/gotcha-twelve/details", UriKind.Relative));
        var url = JsonNode.Parse(await details.Content.ReadAsStringAsync())!["logFiles"]!["user_logs/std_log.txt"]!.ToString();
        using var anonymous = host.Anonymous();

        Assert.Equal("a line\n", await anonymous.GetStringAsync(new Uri(url)));
        Assert.Equal("a line\n", await anonymous.GetStringAsync(new Uri(url)));
    }

    /// <summary>6.17: the SDK neither makes nor looks for them.</summary>
    [Fact]
    public async Task The_containers_of_a_new_workspace_are_there_before_anybody_uploads()
    {
        var path = arm.Group + "/providers/Microsoft.MachineLearningServices/workspaces/gotcha-seventeen";
        (await arm.PutAsync(path, """{"location":"local","properties":{}}""")).Ok();
        foreach (var store in new[] { "workspaceblobstore", "workspaceartifactstore" })
        {
            var properties = (await arm.GetAsync($"{path}/datastores/{store}")).Ok()["properties"]!.AsObject();
            var account = properties.At("accountName");
            var blobs = new BlobClient(host, account, (await host.Get<IStorageAccounts>().GetKeyAsync(account, default))!);
            (await blobs.SendAsync("PUT", $"/{properties.At("containerName")}/first", "1", ("x-ms-blob-type", "BlockBlob"))).Is(HttpStatusCode.Created);
        }
    }

    /// <summary>6.18: what uploads of the SDK rely on.</summary>
    [Fact]
    public async Task A_blob_is_refused_when_it_exists_or_is_damaged_and_names_of_metadata_have_no_case()
    {
        var blobs = await BlobClient.CreateAsync(host, "gotchatests");
        (await blobs.PutAsync("a", "1", ("x-ms-meta-Upload_Status", "completed"))).Is(HttpStatusCode.Created);
        (await blobs.PutAsync("a", "2", ("If-None-Match", "*"))).Fails(409, "BlobAlreadyExists");
        (await blobs.PutAsync("b", "2", ("Content-MD5", Convert.ToBase64String(new byte[16])))).Fails(400, "Md5Mismatch");
        Assert.Equal("completed", (await blobs.HeadAsync("a"))["X-MS-META-upload_status"]);
        Assert.Contains("a", (await blobs.ListAsync("&include=metadata")).Xml.Descendants("Name").Select(name => name.Value));
    }

    /// <summary>6.21: az asks with two slashes.</summary>
    [Theory]
    [InlineData("https://management.azure.com//.default")]
    [InlineData("https://management.azure.com/.default")]
    [InlineData("https://management.core.windows.net//.default")]
    [InlineData("https://localhost:8443//.default")]
    [InlineData("https://ml.azure.com/.default")]
    public async Task A_token_for_every_spelling_of_the_audience_is_accepted(string scope)
    {
        var owner = host.Get<Zaffre.Identity.LocalOwner>();
        using var caller = host.With(await host.TokenAsync(owner.ClientId, owner.ClientSecret, scope));
        using var answer = await caller.GetAsync(new Uri($"{arm.Main.Id}?api-version=2022-10-01", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>6.22: a client of the proxy cannot reach our own port's name, and one of the custom cloud has no Azure names.</summary>
    [Theory]
    [InlineData("management.azure.com", "https://management.azure.com/", "blob.core.windows.net")]
    [InlineData("localhost:8443", "https://localhost:8443/", "blob.core.localhost:8443")]
    public async Task Every_url_of_an_answer_fits_the_host_that_was_asked(string asked, string begins, string blobs)
    {
        (await arm.PutAsync("~/computes/gotcha-22", Instance)).Ok();
        using var stop = await SendAsync(HttpMethod.Post, $"{arm.Main.Id}/computes/gotcha-22/stop?api-version=2022-10-01-preview", asked);
        var operation = stop.Headers.TryGetValues("Azure-AsyncOperation", out var urls) || stop.Headers.TryGetValues("Location", out urls) ? urls.Single() : begins;
        Assert.StartsWith(begins, operation, StringComparison.Ordinal);
        Assert.StartsWith(begins, (await arm.SendAsync(HttpMethod.Get, "~/datastores?count=1", asHost: asked)).Ok().At("nextLink"), StringComparison.Ordinal);

        (await arm.PutAsync("~/environments/gotcha/versions/1", """{"properties":{"image":"debian"}}""")).Ok();
        (await arm.PutAsync("~/jobs/gotcha-22", Job("""{"command":"true"}"""))).Ok();
        await new Jobs.JobClient(host).EndAsync("gotcha-22");
        using var details = await SendAsync(HttpMethod.Get, $"/history/v1.0{arm.Main.Id}/runs/gotcha-22/details", asked);
        Assert.Contains(blobs + "/", JsonNode.Parse(await details.Content.ReadAsStringAsync())!["logFiles"]!["user_logs/std_log.txt"]!.ToString(), StringComparison.Ordinal);
    }

    private string Job(string properties)
    {
        var all = JsonNode.Parse(properties)!.AsObject();
        all["jobType"] = "Command";
        all["environmentId"] = $"{arm.Main.Id}/environments/gotcha/versions/1";
        return new JsonObject { ["properties"] = all }.ToJsonString();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? asHost = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = method == HttpMethod.Post ? new StringContent("", Encoding.UTF8, "application/json") : null };
        request.Headers.Host = asHost;
        return await client.SendAsync(request);
    }
}
