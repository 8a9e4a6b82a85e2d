using System.Net.Http.Headers;

namespace Zaffre.Tests.Http.Web;

/// <summary>Every answer of every surface, also a refusal, says which request it answers.</summary>
public sealed class RequestIdTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    [Theory]
    [InlineData("management.azure.com", "GET", "{workspace}?api-version=2024-10-01", 200)]
    [InlineData("management.azure.com", "GET", "{workspace}/jobs/absent?api-version=2024-10-01", 404)]
    [InlineData("management.azure.com", "PUT", "{workspace}/jobs/broken?api-version=2024-10-01", 400)]
    [InlineData("management.azure.com", "GET", "{workspace}/nothing/of/the/kind?api-version=2024-10-01", 400)]
    [InlineData("localhost:8443", "GET", "/nothing", 404)]
    [InlineData("localhost:8443", "PATCH", "/metadata/endpoints", 405)]
    [InlineData("localhost:8443", "GET", "/history/v1.0{workspace}/runs/absent", 404)]
    [InlineData("localhost:8443", "GET", "/api/2.0/mlflow/runs/get?run_id=absent", 404)]
    [InlineData("login.microsoftonline.com", "GET", "/nowhere/v2.0/.well-known/openid-configuration", 400)]
    [InlineData("someaccount.blob.core.windows.net", "GET", "/cont/b", 404)]
    public async Task Answers_carry_the_servers_id_and_echo_the_clients(string name, string method, string path, int status)
    {
        var mine = Guid.NewGuid().ToString();
        using var client = await host.OwnerAsync();
        client.BaseAddress = new Uri("https://" + name);
        client.DefaultRequestHeaders.Add("x-ms-client-request-id", mine);
        client.DefaultRequestHeaders.Add("x-ms-correlation-request-id", "of-several");

        using var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("{workspace}", host.Workspace.Id.Value, StringComparison.Ordinal));
        using var answer = await client.SendAsync(request);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.True(Guid.TryParse(Header(answer.Headers, "x-ms-request-id"), out _));
        Assert.Equal(mine, Header(answer.Headers, "x-ms-client-request-id"));
        Assert.Equal("of-several", Header(answer.Headers, "x-ms-correlation-request-id"));
        Assert.Equal(name.Contains(".blob.", StringComparison.Ordinal), answer.Headers.Contains("x-ms-version"));
    }

    [Fact]
    public async Task An_id_that_no_header_can_carry_is_not_echoed_and_does_no_harm()
    {
        using var client = host.Anonymous();
        client.DefaultRequestHeaders.TryAddWithoutValidation("x-ms-client-request-id", "\u00fc");
        client.DefaultRequestHeaders.TryAddWithoutValidation("x-ms-correlation-request-id", new string('x', 2000));

        using var answer = await client.GetAsync(new Uri("/metadata/endpoints", UriKind.Relative));

        Assert.True(answer.IsSuccessStatusCode);
        Assert.Null(Header(answer.Headers, "x-ms-client-request-id"));
        Assert.Equal(Header(answer.Headers, "x-ms-request-id"), Header(answer.Headers, "x-ms-correlation-request-id"));
    }

    private static string? Header(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? Assert.Single(values) : null;
}
