using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Database;
using Zaffre.Kernel;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Web;

namespace Zaffre.Tests.Http.Web;

/// <summary>Every form in which a long-running operation is answered, as azure-core polls it.</summary>
public sealed class OperationTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Theory]
    [InlineData("localhost:8443", "https://localhost:8443")]
    [InlineData("management.azure.com", "https://management.azure.com")]
    public async Task Started_work_is_polled_by_status_or_by_result_at_the_host_that_was_asked(string asked, string expected)
    {
        var operation = await StartAsync();
        using var status = await SendAsync(operation.StatusPath, asked);
        Assert.Equal("InProgress", (await BodyAsync(status)).At("status"));
        Assert.Equal("1", status.Headers.RetryAfter!.ToString());

        using var result = await SendAsync(ResultPath(operation), asked);
        Assert.Equal(HttpStatusCode.Accepted, result.StatusCode);
        Assert.Equal("1", result.Headers.RetryAfter!.ToString());
        Assert.Equal(expected + ResultPath(operation), result.Headers.Location!.ToString());
        Assert.Equal("", await result.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Work_that_ended_well_is_a_status_and_a_result_or_nothing()
    {
        var (withResult, without) = (await StartAsync(), await StartAsync());
        await host.Get<IDatabase>().WriteAsync(
            scope =>
            {
                host.Get<IOperations>().Succeed(scope, withResult.Id, new JsonObject { ["answer"] = 42 });
                host.Get<IOperations>().Succeed(scope, without.Id);
            },
            CancellationToken.None);
        using var status = await SendAsync(withResult.StatusPath);
        Assert.Equal("Succeeded", (await BodyAsync(status)).At("status"));
        Assert.NotEmpty((await BodyAsync(status)).At("endTime"));
        Assert.Null(status.Headers.RetryAfter);
        using var result = await SendAsync(ResultPath(withResult));
        Assert.Equal("42", (await BodyAsync(result)).At("answer"));
        using var nothing = await SendAsync(ResultPath(without));
        Assert.Equal(HttpStatusCode.NoContent, nothing.StatusCode);
    }

    [Fact]
    public async Task Work_that_failed_says_why_in_both_and_stays_failed()
    {
        var operation = await StartAsync();
        await host.Get<IDatabase>().WriteAsync(scope => host.Get<IOperations>().Fail(scope, operation.Id, ArmErrors.Conflict("The machine is on fire.", "OnFire")), CancellationToken.None);
        await host.Get<IDatabase>().WriteAsync(scope => host.Get<IOperations>().Succeed(scope, operation.Id), CancellationToken.None);
        using var status = await SendAsync(operation.StatusPath);
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        Assert.Equal("Failed", (await BodyAsync(status)).At("status"));
        Assert.Equal("OnFire", (await BodyAsync(status)).At("error.code"));
        using var result = await SendAsync(ResultPath(operation));
        Assert.Equal(HttpStatusCode.BadRequest, result.StatusCode);
        Assert.Equal("The machine is on fire.", (await BodyAsync(result)).At("error.message"));
    }

    [Fact]
    public async Task An_operation_nobody_started_is_not_found()
    {
        var operation = await StartAsync();
        foreach (var path in new[] { operation.StatusPath, ResultPath(operation) })
        {
            using var answer = await SendAsync(path.Replace(operation.Id, Guid.NewGuid().ToString(), StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("localhost:8443", "https://localhost:8443/subscriptions/")]
    [InlineData("management.azure.com", "https://management.azure.com/subscriptions/")]
    public async Task A_202_carries_both_absolute_urls_and_whole_seconds(string asked, string expected)
    {
        (await arm.PutAsync("~/computes/lro-instance", """{"location":"local","properties":{"computeType":"ComputeInstance","properties":{"vmSize":"STANDARD_DS3_V2"}}}""")).Ok();
        using var started = await SendAsync(arm.Main.Id + "/computes/lro-instance/stop?api-version=2023-08-01-preview", asked, HttpMethod.Post);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        Assert.Equal("1", started.Headers.RetryAfter!.ToString());
        var status = started.Headers.GetValues("Azure-AsyncOperation").Single();
        Assert.StartsWith(expected, status, StringComparison.Ordinal);
        Assert.StartsWith(expected, started.Headers.Location!.ToString(), StringComparison.Ordinal);
        using var polled = await SendAsync(new Uri(status).PathAndQuery, asked);
        Assert.Equal("Succeeded", (await BodyAsync(polled)).At("status"));
    }

    [Fact]
    public async Task What_is_done_at_once_has_no_header_to_poll()
    {
        using var client = await host.OwnerAsync();
        using var body = new StringContent("""{"tags":{"a":"b"}}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PatchAsync(new Uri(arm.Main.Id + "?api-version=2024-10-01", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("Succeeded", (await BodyAsync(answer)).At("properties.provisioningState"));
        Assert.False(answer.Headers.Contains("Azure-AsyncOperation"));
        Assert.Null(answer.Headers.Location);
        Assert.Null(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task A_resource_that_is_being_made_says_when_to_look_again()
    {
        const string Body = """{"properties":{"datastoreType":"AzureDataLakeGen1","storeName":"s","provisioningState":"STATE","credentials":{"credentialsType":"None"}}}""";
        foreach (var (state, wait) in new[] { ("Creating", "1"), ("Succeeded", null) })
        {
            (await arm.PutAsync("~/datastores/made", Body.Replace("STATE", state, StringComparison.Ordinal))).Ok();
            using var answer = await SendAsync(arm.Main.Id + "/datastores/made?api-version=2024-10-01");
            Assert.Equal(wait, answer.Headers.RetryAfter?.ToString());
        }
    }

    private static string ResultPath(Operation operation) => operation.StatusPath.Replace("/mfeOperationsStatus/", "/mfeOperationResults/", StringComparison.Ordinal);

    private static async Task<JsonObject> BodyAsync(HttpResponseMessage answer) => (JsonObject)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

    private Task<Operation> StartAsync() =>
        host.Get<IDatabase>().WriteAsync(scope => host.Get<IOperations>().Start(scope, host.Workspace.Id, "local"), CancellationToken.None);

    private async Task<HttpResponseMessage> SendAsync(string path, string asked = "localhost:8443", HttpMethod? method = null)
    {
        using var client = await host.OwnerAsync();
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Host = asked;
        return await client.SendAsync(request);
    }
}
