using System.Globalization;
using System.Net;

namespace Zaffre.Tests.Clients.Connecting;

[Collection(ZaffreServer.OfConnections)]
public sealed class VerbTests(ZaffreServer server)
{
    [Fact]
    public async Task Env_sets_what_the_clients_read_and_nothing_else()
    {
        var lines = (await server.ZaffreAsync("env")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            [
                "AZUREML_SDKV2_TELEMETRY_OPTOUT", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CONFIG_DIR", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID",
                "CURL_CA_BUNDLE", "HTTPS_PROXY", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_URI", "NODE_EXTRA_CA_CERTS", "NO_PROXY", "REQUESTS_CA_BUNDLE",
                "SSL_CERT_FILE", "ZAFFRE_RESOURCE_GROUP", "ZAFFRE_WORKSPACE", "https_proxy",
            ],
            lines.Select(line => line["export ".Length..line.IndexOf('=', StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
        Assert.Contains($"export AZURE_CONFIG_DIR='{Path.Combine(server.Data, "env", "azure")}'", lines);
    }

    [Fact]
    public async Task Env_of_the_direct_mode_names_our_own_cloud()
    {
        var output = (await server.ZaffreAsync("env", "--mode", "direct")).Succeeded().Output;
        Assert.Contains($"export ARM_CLOUD_METADATA_URL='{server.Url}metadata/endpoints?api-version=2019-05-01'", output, StringComparison.Ordinal);
        Assert.Contains("export AZURE_TENANT_ID='adfs'", output, StringComparison.Ordinal);
        Assert.DoesNotContain("HTTPS_PROXY", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_shell_takes_env_as_it_is()
    {
        var result = await ZaffreBinary.RunProgramAsync("/bin/sh", ["-c", "eval \"$($Z env --data $D)\" && printf %s \"$ZAFFRE_WORKSPACE\""], new Dictionary<string, string?> { ["Z"] = ZaffreBinary.Path, ["D"] = server.Data });
        Assert.Equal("main", result.Succeeded().Output);
    }

    [Fact]
    public async Task Exec_becomes_the_command_with_its_arguments_its_input_and_its_exit_code()
    {
        var result = await ZaffreBinary.RunAsync(["exec", "--data", server.Data, "sh", "-c", "cat; printf '%s' \"$1|$ZAFFRE_WORKSPACE\"; exit 7", "x", "--data a'b"], input: "in:");
        Assert.Equal((7, "in:--data a'b|main"), (result.ExitCode, result.Output));
        var missing = await server.ExecAsync(["no-such-command"]);
        Assert.Equal(127, missing.ExitCode);
        Assert.Contains("no-such-command cannot be run: No such file or directory", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_an_error_that_says_who_has_it()
    {
        var port = server.Url.Port.ToString(CultureInfo.InvariantCulture);
        var other = Directory.CreateTempSubdirectory("zaffre-other-").FullName;
        var result = await ZaffreBinary.RunAsync(["up", "--data", other, "--port", port, "--proxy-port", "0", "--gateway-port", "0"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"Port {port} is taken by process {server.State.GetProperty("pid").GetInt32()} (", result.Error, StringComparison.Ordinal);
        var detached = await ZaffreBinary.RunAsync(["up", "--data", other, "--port", port, "--proxy-port", "0", "--gateway-port", "0", "--detach"]);
        Assert.Equal(1, detached.ExitCode);
        Assert.Contains($"Port {port} is taken by process", detached.Error, StringComparison.Ordinal);
        Directory.Delete(other, recursive: true);
    }

    [Fact]
    public async Task A_data_directory_has_one_server()
    {
        var result = await server.ZaffreAsync("up", "--port", "0");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"Another Zaffre server (process {server.State.GetProperty("pid").GetInt32()}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_secret_is_readable_by_its_owner_only()
    {
        foreach (var file in new[] { "keys/owner.json", "keys/signing.json", "tls/ca.key", "tls/server.key", "zaffre.db" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.Data, file)));
        }

        Assert.DoesNotContain(server.Owner.GetProperty("clientSecret").GetString()!, File.ReadAllText(Path.Combine(server.Data, "log", "server.log")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kestrel_answers_on_both_loopback_addresses()
    {
        foreach (var host in new[] { "127.0.0.1", "[::1]" })
        {
            var result = await server.ExecAsync(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", $"https://{host}:{server.Url.Port}/healthz"]);
            Assert.Equal("200", result.Succeeded().Output);
        }

        using var client = server.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(new Uri(server.Workspace + "?api-version=2024-10-01", UriKind.Relative))).StatusCode);
    }
}
