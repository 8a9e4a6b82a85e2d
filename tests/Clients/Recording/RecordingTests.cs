using System.Text.Json.Nodes;

namespace Zaffre.Tests.Clients.Recording;

public sealed class RecordingTests : IAsyncLifetime
{
    private readonly string folder = Path.Combine(Directory.CreateTempSubdirectory("zaffre-recording-").FullName, "out");

    public static TheoryData<string> Bundled => [.. Directory.GetFiles(Path.Combine(ZaffreBinary.Python, "..", "Recording", "recordings"), "*.jsonl").Select(file => Path.GetFileName(file)!)];

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>Sessions of the SDK as they once were: this build answers the same.</summary>
    [Theory]
    [MemberData(nameof(Bundled))]
    public async Task A_bundled_recording_replays_without_a_difference(string file)
    {
        var replay = (await ZaffreBinary.RunAsync(["replay", Path.Combine(ZaffreBinary.Python, "..", "Recording", "recordings", file), "--fresh"])).Succeeded();

        Assert.Matches(@": [1-9]\d+ sent, 0 differ", replay.Output);
    }

    [Theory]
    [MemberData(nameof(Bundled))]
    public void A_bundled_recording_holds_nothing_that_looks_like_a_secret(string file)
    {
        var text = File.ReadAllText(Path.Combine(ZaffreBinary.Python, "..", "Recording", "recordings", file));

        Assert.DoesNotMatch(@"eyJ[A-Za-z0-9_-]{10,}\.", text);
        Assert.DoesNotMatch(@"sig=(?!\{)[A-Za-z0-9%+/]{8,}", text);
        Assert.DoesNotMatch(@"[A-Za-z0-9+/]{86}==", text);
        Assert.DoesNotMatch(@"(?i)""[a-z_]*(?:secret|password|access_?token|accountkey|primarykey|secondarykey)"":""(?!\{)[^""]+""", text);
        Assert.DoesNotMatch("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text);
        Assert.DoesNotMatch("/(?:home|root|Users)/(?!\\{)[a-z]", text);
    }

    [Fact]
    public async Task A_session_is_recorded_without_the_owners_secrets_replayed_and_a_changed_answer_is_found()
    {
        var server = new ZaffreServer();
        await server.StartAsync("--record", folder);
        string secret, token;
        try
        {
            (await server.PythonAsync(Sdk.Oldest, Sdks.Proxy, "workspace_get.py")).ToString();
            (secret, token) = (server.Owner.GetProperty("clientSecret").GetString()!, await server.TokenAsync());
        }
        finally
        {
            await server.DisposeAsync();
        }

        var file = Assert.Single(Directory.GetFiles(folder));
        var lines = await File.ReadAllLinesAsync(file);
        Assert.True(lines.Length > 5, string.Join('\n', lines));
        Assert.All(new[] { secret, token, server.Data }, hidden => Assert.DoesNotContain(hidden, string.Concat(lines), StringComparison.Ordinal));
        (await ZaffreBinary.RunAsync(["replay", folder, "--fresh"])).Succeeded();

        var at = Array.FindIndex(lines, line => line.Contains("\"friendlyName\"", StringComparison.Ordinal));
        var exchange = JsonNode.Parse(lines[at])!;
        var body = exchange["answer"]!["body"]!["json"]!;
        ((body["properties"] ?? body["value"]?[0]?["properties"])!)["friendlyName"] = "another";
        lines[at] = exchange.ToJsonString();
        await File.WriteAllLinesAsync(file, lines);
        var differing = await ZaffreBinary.RunAsync(["replay", file, "--fresh", "--patience", "0"]);
        Assert.Equal(1, differing.ExitCode);
        Assert.Contains("properties.friendlyName", differing.Output, StringComparison.Ordinal);
        Assert.Contains("recorded: another", differing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_recording_is_refused_in_words()
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "a.jsonl"), "nonsense\n");

        var result = await ZaffreBinary.RunAsync(["replay", folder]);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("ERROR: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:9999")]
    [InlineData("localhost:9999")]
    public async Task A_replay_sends_the_owners_secret_over_https_only(string url)
    {
        var file = Path.Combine(ZaffreBinary.Python, "..", "Recording", "recordings", "azure-ai-ml-oldest.jsonl");

        var result = await ZaffreBinary.RunAsync(["replay", file, "--url", url]);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"ERROR: --url '{url}' is no https address", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_keeps_the_server_from_starting()
    {
        await File.WriteAllTextAsync(folder, "in the way");

        var result = await ZaffreBinary.RunAsync(["up", "--detach", "--port", "0", "--data", folder + ".data", "--record", folder]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("ERROR: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}
