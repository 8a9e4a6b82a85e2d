using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Http.Web;

/// <summary>What every ARM route does the same way, shown on datastores.</summary>
public sealed class PlumbingTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    private const string Body = """{"properties":{"datastoreType":"AzureBlob","accountName":"elsewhere","containerName":"c","credentials":{"credentialsType":"None"},"mystery":{"x":1}}}""";

    private string Datastores => host.Workspace.Id + "/datastores";

    [Fact]
    public async Task Without_a_token_the_answer_is_401_with_a_challenge()
    {
        using var client = host.Anonymous();

        using var answer = await client.GetAsync(Url(Datastores));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        Assert.Equal("AuthenticationFailed", await CodeAsync(answer));
    }

    [Fact]
    public async Task Without_a_role_existing_and_missing_resources_look_the_same()
    {
        using var client = await host.PrincipalAsync(null);

        using var existing = await client.GetAsync(Url(Datastores + "/workspaceblobstore"));
        using var missing = await client.GetAsync(Url(Datastores + "/nothing"));
        using var nowhere = await client.GetAsync(Url(Datastores.Replace("/main/", "/nowhere/", StringComparison.Ordinal)));

        Assert.All([existing, missing, nowhere], answer => Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
        Assert.Equal("AuthorizationFailed", await CodeAsync(missing));
        Assert.Equal(
            (await existing.Content.ReadAsStringAsync()).Replace("workspaceblobstore", "X", StringComparison.Ordinal),
            (await missing.Content.ReadAsStringAsync()).Replace("nothing", "X", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_reads_and_may_not_write()
    {
        using var client = await host.PrincipalAsync(Reader);

        using var read = await client.GetAsync(Url(Datastores + "/workspaceblobstore"));
        using var write = await client.PutAsync(Url(Datastores + "/mine"), Json(Body));

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, write.StatusCode);
    }

    [Theory]
    [InlineData("", "InvalidRequestContent")]
    [InlineData("[]", "InvalidRequestContent")]
    [InlineData("{\"properties\":", "InvalidRequestContent")]
    [InlineData("{\"properties\":{},\"properties\":{}}", "InvalidRequestContent")]
    [InlineData("\u00ff", "InvalidRequestContent")]
    public async Task A_body_that_is_no_json_object_is_400_and_says_why(string body, string code)
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.PutAsync(Url(Datastores + "/broken"), Json(body));
        using var after = await client.GetAsync(Url(Datastores + "/broken"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(code, await CodeAsync(answer));
        Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
    }

    [Fact]
    public async Task Json_nested_too_deeply_is_400()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.PutAsync(Url(Datastores + "/deep"), Json(string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "1" + new string('}', 500)));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.PutAsync(Url(Datastores + "/huge"), Json("{\"a\":\"" + new string('x', 17 * 1024 * 1024) + "\"}"));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Theory]
    [InlineData("a%2Fb")]
    [InlineData("-begins-with-dash")]
    [InlineData("has%20space")]
    public async Task A_bad_name_is_4xx_and_creates_nothing(string name)
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.PutAsync(Url(Datastores + "/" + name), Json(Body));

        Assert.InRange((int)answer.StatusCode, 400, 499);
        using var list = await client.GetAsync(Url(Datastores));
        Assert.DoesNotContain("begins-with-dash", await list.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_over_long_name_is_400_and_named()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.PutAsync(Url(Datastores + "/" + new string('a', 300)), Json(Body));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("name", (await ErrorAsync(answer))["target"]?.ToString());
    }

    [Fact]
    public async Task An_unknown_operation_of_a_workspace_names_itself()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.GetAsync(Url(host.Workspace.Id + "/featurestoreEntities"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("OperationNotSupported", await CodeAsync(answer));
        Assert.Contains("featurestoreEntities", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_path_names_itself()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.GetAsync(new Uri("/what/is/this", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("/what/is/this", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_workspace_is_404_for_everything_below_it()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.GetAsync(Url(Datastores.Replace("/main/", "/nowhere/", StringComparison.Ordinal)));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("ResourceNotFound", await CodeAsync(answer));
    }

    [Fact]
    public async Task Paths_are_read_in_any_case_and_with_a_trailing_slash()
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.GetAsync(new Uri((Datastores + "/workspaceBlobStore/").ToUpperInvariant() + "?api-version=2022-10-01", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("workspaceblobstore", (await BodyAsync(answer))["name"]!.ToString());
    }

    [Fact]
    public async Task Members_nobody_knows_come_back_and_the_etag_guards_the_next_write()
    {
        using var client = await host.OwnerAsync();
        using var created = await client.PutAsync(Url(Datastores + "/guarded"), Json(Body));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(1, (int)(await BodyAsync(created))["properties"]!["mystery"]!["x"]!);

        async Task<HttpStatusCode> PutAsync(string etag)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, Url(Datastores + "/guarded")) { Content = Json(Body) };
            request.Headers.TryAddWithoutValidation("If-Match", etag);
            using var answer = await client.SendAsync(request);
            return answer.StatusCode;
        }

        var etag = created.Headers.ETag!.ToString();
        Assert.Equal(HttpStatusCode.OK, await PutAsync(etag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(etag));
    }

    [Fact]
    public async Task Every_answer_carries_a_request_id_and_echoes_the_clients()
    {
        using var client = await host.OwnerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, Url(Datastores));
        request.Headers.Add("x-ms-client-request-id", "mine");

        using var answer = await client.SendAsync(request);

        Assert.True(Guid.TryParse(answer.Headers.GetValues("x-ms-request-id").Single(), out _));
        Assert.Equal("mine", answer.Headers.GetValues("x-ms-client-request-id").Single());
    }

    [Fact]
    public async Task A_list_in_pages_of_one_links_to_its_end()
    {
        using var client = await host.OwnerAsync();
        var names = new List<string>();
        var next = new Uri($"{Datastores}?api-version=2022-10-01&count=1", UriKind.Relative);
        while (next is not null)
        {
            using var answer = await client.GetAsync(next);
            var page = await BodyAsync(answer);
            names.Add(Assert.Single(page["value"]!.AsArray())!["name"]!.ToString());
            next = page["nextLink"] is { } link ? new Uri(link.ToString()) : null;
        }

        Assert.Contains("workspaceblobstore", names);
        Assert.Contains("workspaceartifactstore", names);
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Theory]
    [InlineData("$skip=banana")]
    [InlineData("count=-1")]
    [InlineData("listViewType=Sometimes")]
    public async Task A_malformed_list_parameter_is_400_and_named(string query)
    {
        using var client = await host.OwnerAsync();

        using var answer = await client.GetAsync(new Uri($"{Datastores}?api-version=2022-10-01&{query}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(query.Split('=')[0], (await ErrorAsync(answer))["target"]?.ToString());
    }

    private static Uri Url(string path) => new(path + "?api-version=2022-10-01", UriKind.Relative);

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<JsonObject> BodyAsync(HttpResponseMessage answer) => (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

    private static async Task<JsonObject> ErrorAsync(HttpResponseMessage answer) => (JsonObject)(await BodyAsync(answer))["error"]!;

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) => (await ErrorAsync(answer))["code"]?.ToString();
}
