namespace Zaffre.Tests.Clients.Connecting;

public sealed class LifecycleTests
{
    [Fact]
    public async Task Two_servers_live_side_by_side_and_share_nothing()
    {
        await using var first = await StartedAsync();
        await using var second = await StartedAsync();
        Assert.NotEqual(first.Server.Url, second.Server.Url);
        using var client = second.Server.Client(await first.Server.TokenAsync());
        using var answer = await client.GetAsync(new Uri(second.Server.Workspace + "?api-version=2024-10-01", UriKind.Relative));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_server_ends_and_comes_back_with_its_identity_and_its_ports()
    {
        await using var started = await StartedAsync();
        var server = started.Server;
        var (url, owner) = (server.Url, server.Owner.GetRawText());
        var token = await server.TokenAsync();
        Assert.Equal(0, (await server.ZaffreAsync("status")).ExitCode);
        (await server.ZaffreAsync("down")).Succeeded();
        Assert.Equal(3, (await server.ZaffreAsync("status")).ExitCode);
        Assert.Contains("No server runs on", (await server.ZaffreAsync("token")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await server.ZaffreAsync("down")).ExitCode);

        await server.StartAsync();
        Assert.Equal((url, owner), (server.Url, server.Owner.GetRawText()));
        await server.KillAsync();
        await server.StartAsync();
        Assert.Equal(url, server.Url);
        using var client = server.Client(token);
        using var answer = await client.GetAsync(new Uri(server.Workspace + "?api-version=2024-10-01", UriKind.Relative));
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Down_leaves_no_process_of_the_data_directory_behind()
    {
        await using var started = await StartedAsync();
        Assert.NotEmpty(await ProcessesAsync(started.Server));
        (await started.Server.ZaffreAsync("down")).Succeeded();
        Assert.Empty(await ProcessesAsync(started.Server));
    }

    [Fact]
    public async Task A_strict_proxy_answers_for_the_azure_names_only()
    {
        await using var started = await StartedAsync("--strict-proxy");
        var refused = await started.Server.ExecAsync(["curl", "-s", "-o", "/dev/null", "-w", "%{http_connect}", "https://example.com/"]);
        Assert.Equal("403", refused.Output);
        var served = await started.Server.ExecAsync(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "https://management.azure.com/metadata/endpoints"]);
        Assert.Equal("200", served.Output);
    }

    private static async Task<string[]> ProcessesAsync(ZaffreServer server) =>
        (await ZaffreBinary.RunProgramAsync("/bin/ps", ["-eo", "args"])).Succeeded().Output.Split('\n').Where(line => line.Contains(server.Data, StringComparison.Ordinal)).ToArray();

    private static async Task<Running> StartedAsync(params string[] more)
    {
        var server = new ZaffreServer();
        await server.StartAsync(more);
        return new Running(server);
    }

    private sealed record Running(ZaffreServer Server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Server.DisposeAsync();
    }
}
