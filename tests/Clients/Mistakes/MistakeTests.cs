using System.Globalization;

namespace Zaffre.Tests.Clients.Mistakes;

/// <summary>What people get wrong with official clients: each ends in seconds, in words that say what it was.</summary>
[Collection(ZaffreServer.OfConnections)]
public sealed class MistakeTests(ZaffreServer server)
{
    [Theory]
    [MemberData(nameof(Sdks.Versions), MemberType = typeof(Sdks))]
    public async Task Wrong_places_deleted_workspaces_bad_names_and_references_are_named(Sdk sdk, string mode) =>
        Assert.Equal(["wrong_places", "deleted_workspace", "bad_names", "bad_references"], await server.StepsAsync(sdk, mode, "mistakes.py"));

    [Theory]
    [InlineData(Sdk.Oldest, "+2h")]
    [InlineData(Sdk.Newest, "-2h")]
    public async Task A_client_whose_clock_is_off_gets_tokens_and_is_told_about_its_keys(Sdk sdk, string offset)
    {
        var result = await server.ExecAsync(
            ["faketime", "-f", offset, .. sdk.Command(), Path.Combine(ZaffreBinary.Python, "clock.py")],
            new Dictionary<string, string?>
            {
                ["PYTHONPATH"] = sdk.PythonPath(),
                ["PYTHONDONTWRITEBYTECODE"] = "1",
                ["TRUE_TIME"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            });
        Assert.Contains("ok tokens\nok keys\nok signatures", result.Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curl_lists_jobs_with_a_token_of_zaffre_and_every_answer_names_its_request()
    {
        // As docs/connecting.md has it.
        var list = await server.ExecAsync(["sh", "-c", $"curl -sS -i -H \"Authorization: Bearer $({ZaffreBinary.Path} token --data '{server.Data}')\" -H 'x-ms-client-request-id: mine' 'https://management.azure.com{server.Workspace}/jobs?api-version=2024-10-01'"]);
        var answer = list.Succeeded().Output;
        Assert.Contains("HTTP/2 200", answer, StringComparison.Ordinal);
        Assert.Contains("\"value\":[", answer, StringComparison.Ordinal);
        foreach (var header in (string[])["date: ", "x-ms-request-id: ", "x-ms-correlation-request-id: ", "x-ms-client-request-id: mine"])
        {
            Assert.Contains("\n" + header, answer, StringComparison.Ordinal);
        }

        // An id in UTF-8, which no answer could echo, is no reason to fail.
        var odd = await server.ExecAsync(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "x-ms-client-request-id: \u00fc", "https://management.azure.com/metadata/endpoints"]);
        Assert.Equal("200", odd.Output);
        var direct = await ZaffreBinary.RunProgramAsync("sh", ["-c", $"curl -sS --cacert '{server.Data}/tls/ca.pem' -H \"Authorization: Bearer $({ZaffreBinary.Path} token --data '{server.Data}')\" '{server.Url.ToString().TrimEnd('/')}{server.Workspace}?api-version=2024-10-01'"]);
        Assert.Contains("\"name\":\"main\"", direct.Succeeded().Output, StringComparison.Ordinal);
        var without = await server.ExecAsync(["curl", "-sS", "-i", $"https://management.azure.com{server.Workspace}?api-version=2024-10-01"]);
        Assert.Contains("HTTP/2 401", without.Output, StringComparison.Ordinal);
        Assert.Contains("The 'Authorization' header is missing", without.Output, StringComparison.Ordinal);
        Compatibility.Behaves("curl", "GET with a token of `zaffre token`");
    }
}
