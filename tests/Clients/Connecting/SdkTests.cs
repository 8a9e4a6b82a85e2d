using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Zaffre.Tests.Clients.Connecting;

[Collection(ZaffreServer.OfConnections)]
public sealed class SdkTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Modes), MemberType = typeof(Sdks))]
    public async Task The_vanilla_sdk_gets_the_workspace(Sdk sdk, string mode)
    {
        var output = await server.PythonAsync(sdk, mode, "workspace_get.py");
        Assert.Contains("main zaffre", output, StringComparison.Ordinal);
    }

    /// <summary>A strict proxy refuses every host but the Azure names that this server answers for.</summary>
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task The_sdks_whole_scenario_needs_no_other_host(Sdk sdk, string mode)
    {
        var strict = new ZaffreServer();
        await strict.StartAsync("--strict-proxy");
        try
        {
            var scenario = Path.Combine(ZaffreBinary.Python, "..", "..", "..", "benchmarks", "Clients", "scenario.py");
            var said = (await strict.TryPythonAsync(sdk, mode, scenario)).Succeeded();
            Assert.Contains("\"register\"", said.Output, StringComparison.Ordinal);
        }
        finally
        {
            await strict.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_sdk_shows_why_a_wrong_secret_is_refused()
    {
        var result = await server.ExecAsync(
            ["/usr/bin/env", "AZURE_CLIENT_SECRET=wrong", "/usr/bin/python3", "-W", "ignore", Path.Combine(ZaffreBinary.Python, "token_get.py")]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("AADSTS7000215: Invalid client secret provided.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sdk_shows_why_an_unknown_tenant_is_refused()
    {
        var result = await server.ExecAsync(
            ["/usr/bin/env", "AZURE_TENANT_ID=" + Guid.NewGuid(), "/usr/bin/python3", "-W", "ignore", Path.Combine(ZaffreBinary.Python, "token_get.py")]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("tenant", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Curl_and_node_trust_the_server_under_the_azure_names()
    {
        var curl = await server.ExecAsync(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_connect} %{http_code} %{ssl_verify_result}", "https://management.azure.com/metadata/endpoints?api-version=2022-09-01"]);
        Assert.Equal("200 200 0", curl.Succeeded().Output);
        var node = await server.ExecAsync(["node", "-e", "require('https').get(process.env.MLFLOW_TRACKING_URI + '/readyz', r => { console.log(r.statusCode); r.resume(); }).on('error', e => { console.error(e); process.exit(1) })"]);
        Assert.Equal("200", node.Succeeded().Output.Trim());
    }

    [Theory]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://[fd00::1]/")]
    public async Task The_proxy_tunnels_to_no_private_address(string url)
    {
        var result = await server.ExecAsync(["curl", "-s", "-o", "/dev/null", "-w", "%{http_connect}", url]);
        Assert.Equal("403", result.Output);
    }

    [Fact]
    public async Task A_reader_reads_the_workspace_and_changes_nothing()
    {
        var created = JsonDocument.Parse((await server.ZaffreAsync("principal", "create", "--name", "a reader", "--role", "Reader")).Succeeded().Output).RootElement;
        using var client = server.Client();
        using var answer = await client.PostAsync(
            new Uri($"/{created.GetProperty("tenant").GetString()}/oauth2/v2.0/token", UriKind.Relative),
            new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = created.GetProperty("appId").GetString()!,
                ["client_secret"] = created.GetProperty("password").GetString()!,
                ["scope"] = "https://management.azure.com/.default",
            }));
        using var reader = server.Client((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString());
        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync(new Uri(server.Workspace + "?api-version=2024-10-01", UriKind.Relative))).StatusCode);
        foreach (var name in new[] { "main", "absent" })
        {
            using var put = await reader.PutAsJsonAsync(server.Workspace.Replace("/main", "/" + name, StringComparison.Ordinal) + "?api-version=2024-10-01", new { location = "local" });
            Assert.Equal(HttpStatusCode.Forbidden, put.StatusCode);
        }
    }
}
