using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What clients tell of their files is taken for what it is: names and numbers of a stranger.</summary>
public sealed class PlanAttackTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Yaml = "command: ls\ncode: ./src\nenvironment: {image: debian}\n";
    private static readonly string Digest = new('a', 64);

    private readonly PlanClient client = new(host);

    [Theory]
    [InlineData("../../zaffre.db")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a/..")]
    [InlineData("")]
    [InlineData("a\nb")]
    [InlineData("a\u0000b")]
    public async Task A_path_that_leads_out_is_refused_and_told(string name)
    {
        var answer = await PlanAsync(Content(File(name)));
        Assert.Equal(["contents.{{upload.0}}.files[0].name"], answer.Targets());
    }

    [Theory]
    [InlineData("name", "\"..\"")]
    [InlineData("name", "\"a/b\"")]
    [InlineData("name", "7")]
    [InlineData("hash", "\"../../../../x\"")]
    [InlineData("hash", "null")]
    [InlineData("folder", "\"yes\"")]
    [InlineData("files", "{}")]
    [InlineData("files", "[]")]
    [InlineData("files", "[1]")]
    [InlineData("files", """[{"name":"a","sha256":"x","size":1}]""")]
    [InlineData("files", """[{"name":"a","sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":-1}]""")]
    [InlineData("files", """[{"name":"a","sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1e300}]""")]
    [InlineData("lines", "[]")]
    [InlineData("lines", """{"a":[1]}""")]
    public async Task A_manifest_that_is_none_is_refused(string member, string value)
    {
        var content = Content(File("a.py"));
        content[member] = JsonNode.Parse(value);
        Assert.All((await PlanAsync(content)).Targets(), target => Assert.StartsWith("contents.{{upload.0}}", target, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Files_named_twice_unknown_uploads_and_other_kinds_are_refused()
    {
        Assert.Equal(["contents.{{upload.0}}.files[1].name"], (await PlanAsync(Content(File("a"), File("a")))).Targets());
        var request = PlanClient.Request(Yaml, null);
        request["contents"] = new JsonObject { ["{{upload.7}}"] = Content(File("a")) };
        Assert.Equal(["contents.{{upload.7}}"], (await client.SendAsync("yaml:plan", request, null)).Targets());
        request["contents"] = "x";
        Assert.Equal(["contents"], (await client.SendAsync("yaml:plan", request, null)).Targets());
        request["kind"] = "model";
        Assert.Equal(["kind"], (await client.SendAsync("yaml:plan", request, null)).Targets());
    }

    [Fact]
    public async Task A_huge_manifest_is_refused_and_its_digest_does_instead()
    {
        var content = Content([.. Enumerable.Range(0, 50_001).Select(i => File("f" + i))]);
        var answer = await PlanAsync(content);
        Assert.Equal(["contents.{{upload.0}}.files"], answer.Targets());
        Assert.Contains("at most 50000", answer.Body.ToJsonString(), StringComparison.Ordinal);
        content.Remove("files");
        (content["digest"], content["count"], content["bytes"], content["first"]) = (Digest, 50_001, 1L << 40, "f0");
        var plan = (await PlanAsync(content)).Ok();
        Assert.Equal(("50001", "upload"), (plan["uploads"]![0]!.AsObject().At("files"), plan["uploads"]![0]!.AsObject().At("action")));
        content["first"] = "../f0";
        Assert.Equal(["contents.{{upload.0}}.first"], (await PlanAsync(content)).Targets());
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused()
    {
        var request = PlanClient.Request(Yaml, null);
        request["contents"] = new string('x', 17 << 20);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await client.SendAsync("yaml:plan", request, null)).Status);
    }

    private Task<(HttpStatusCode Status, JsonObject Body)> PlanAsync(JsonObject content)
    {
        var request = PlanClient.Request(Yaml, null);
        request["contents"] = new JsonObject { ["{{upload.0}}"] = content.DeepClone() };
        return client.SendAsync("yaml:plan", request, null);
    }

    private static JsonObject Content(params JsonObject[] files) => new() { ["name"] = "src", ["hash"] = Digest, ["folder"] = true, ["files"] = new JsonArray([.. files]) };

    private static JsonObject File(string name) => new() { ["name"] = name, ["sha256"] = Digest, ["size"] = 1 };
}
