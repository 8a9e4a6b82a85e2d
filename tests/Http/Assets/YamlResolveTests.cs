using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Assets;

public sealed class YamlResolveTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly Arm arm = new(host);

    [Fact]
    public async Task A_model_with_a_local_path_becomes_one_upload_and_one_request()
    {
        var answer = (await ResolveAsync("model", "$schema: x\nname: iris\npath: ./model\ntype: mlflow_model\ntags: {a: 1}\n")).Ok();
        var upload = answer["uploads"]![0]!;
        Assert.Equal("./model", upload["local"]!.GetValue<string>());
        Assert.Equal("any", upload["kind"]!.GetValue<string>());
        Assert.Equal("main.yml:3:7 path", upload["at"]!.GetValue<string>());
        var request = answer["requests"]![0]!;
        Assert.Equal($"{arm.Main.Id}/models/iris/versions/1?api-version=2024-10-01", request["path"]!.GetValue<string>());
        Assert.Equal("""{"properties":{"modelType":"mlflow_model","tags":{"a":"1"},"modelUri":"{{upload.0}}"}}""", request["body"]!.ToJsonString());
        Assert.Equal("azureml://datastores/workspaceblobstore/paths/", answer["store"]!["uri"]!.GetValue<string>());
        Assert.Contains("sig=", answer["store"]!["sas"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal($"{arm.Main.Id}/models/iris/versions/1", answer.At("id"));
    }

    [Fact]
    public async Task The_whole_round_ends_in_a_stored_data_asset()
    {
        var answer = (await ResolveAsync("data", "name: table\npath: in/data.csv\ntype: uri_file\n")).Ok();
        var store = answer["store"]!;
        var target = "LocalUpload/abc/data.csv";
        using var blobs = host.Anonymous();
        using var put = new HttpRequestMessage(HttpMethod.Put, $"{store["container"]}/{target}?{store["sas"]}") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes("a,b\n")) };
        put.Headers.Add("x-ms-blob-type", "BlockBlob");
        using var uploaded = await blobs.SendAsync(put);
        Assert.Equal(HttpStatusCode.Created, uploaded.StatusCode);

        var request = answer["requests"]![0]!;
        var body = request["body"]!.ToJsonString().Replace("{{upload.0}}", store["uri"] + target, StringComparison.Ordinal);
        (await arm.PutAsync(request["path"]!.GetValue<string>().Split('?')[0], body)).Ok();
        Assert.Equal("azureml://datastores/workspaceblobstore/paths/" + target, (await arm.GetAsync("~/data/table/versions/1")).Ok().At("properties.dataUri"));
        var next = (await ResolveAsync("data", "name: table\npath: in/data.csv\ntype: uri_file\n")).Ok();
        Assert.Contains("/versions/2?", next["requests"]![0]!["path"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_files_are_asked_for_by_name_and_then_used()
    {
        const string Main = "name: e\nversion: 3\nimage: ubuntu\nconda_file: ../conda/c.yml\n";
        var answer = (await ResolveAsync("environment", Main)).Ok();
        Assert.Equal("""[{"path":"../conda/c.yml","at":"main.yml:4:13 conda_file"}]""", answer["needs"]!.ToJsonString());
        answer = (await ResolveAsync("environment", Main, ("../conda/c.yml", "dependencies:\n- python\n"))).Ok();
        Assert.Equal("dependencies:\n- python\n", answer["requests"]![0]!["body"]!["properties"]!["condaFile"]!.GetValue<string>());
        Assert.Null(answer["store"]);
        var main = (await arm.PostAsync("/zaffre/v1~/yaml:resolve", """{"kind":"data","file":"a.yml","files":{}}""")).Ok();
        Assert.Equal("a.yml", main["needs"]![0]!["path"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_local_build_context_is_uploaded_and_a_remote_one_is_named()
    {
        var answer = (await ResolveAsync("environment", "name: e\nbuild:\n  path: ./ctx\n  dockerfile_path: docker/File\n")).Ok();
        Assert.Equal("folder", answer["uploads"]![0]!["kind"]!.GetValue<string>());
        Assert.Equal("""{"contextUri":"{{upload.0}}","dockerfilePath":"docker/File"}""", answer["requests"]![0]!["body"]!["properties"]!["build"]!.ToJsonString());
        answer = (await ResolveAsync("environment", "name: e\nbuild: {path: https://github.com/a/b.git}\n")).Ok();
        Assert.Equal("""{"contextUri":"https://github.com/a/b.git"}""", answer["requests"]![0]!["body"]!["properties"]!["build"]!.ToJsonString());
    }

    [Fact]
    public async Task An_inline_conda_map_becomes_yaml_text()
    {
        var answer = (await ResolveAsync("environment", "name: e\nimage: ubuntu\nconda_file:\n  name: x\n  dependencies:\n  - python=3.11\n  - pip:\n    - numpy\n")).Ok();
        var conda = answer["requests"]![0]!["body"]!["properties"]!["condaFile"]!.GetValue<string>();
        Assert.Contains("- python=3.11", conda, StringComparison.Ordinal);
        (await arm.PutAsync("~/environments/inline/versions/1", answer["requests"]![0]!["body"]!.ToJsonString())).Ok();
    }

    [Fact]
    public async Task Set_overrides_the_file()
    {
        var body = new JsonObject { ["kind"] = "environment", ["file"] = "./main.yml", ["files"] = new JsonObject { ["main.yml"] = "name: e\nimage: ubuntu\n" }, ["set"] = new JsonObject { ["version"] = "9", ["tags.owner"] = "me" } };
        var answer = (await arm.PostAsync("/zaffre/v1~/yaml:resolve", body.ToJsonString())).Ok();
        Assert.Contains("/e/versions/9?", answer["requests"]![0]!["path"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("me", answer["requests"]![0]!["body"]!["properties"]!["tags"]!["owner"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("model", "name: [x]\npath: y\ncolour: red\ntype: pickle\n", "main.yml:1:7 name main.yml:3:1 colour main.yml:4:7 type")]
    [InlineData("model", "tags: 5\n", "main.yml:1:1 main.yml:1:1 main.yml:1:7 tags")]
    [InlineData("data", "name: a\npath: azureml:nobody:1\n", "main.yml:2:7 path")]
    [InlineData("data", "- a\n", "main.yml:1:1")]
    [InlineData("data", "name: a\n b: c\n", "main.yml:2:3")]
    [InlineData("environment", "name: e\nbuild: {path: ., arguments: x}\nos_type: beos\n", "main.yml:2:18 build.arguments main.yml:3:10 os_type")]
    public async Task Everything_wrong_is_listed_at_its_line_and_column(string kind, string yaml, string targets) =>
        Assert.Equal(targets, string.Join(' ', (await ResolveAsync(kind, yaml)).Targets().Order(StringComparer.Ordinal)));

    [Fact]
    public async Task A_broken_conda_file_is_reported_in_its_own_name() =>
        Assert.Equal(["c.yml:1:5"], (await ResolveAsync("environment", "name: e\nconda_file: c.yml\n", ("c.yml", "a: b: c\n"))).Targets().Select(t => t.Split(' ')[0]));

    [Fact]
    public async Task Requests_that_are_malformed_are_refused()
    {
        Assert.Equal(["kind", "file", "files", "set"], (await arm.PostAsync("/zaffre/v1~/yaml:resolve", """{"kind":"spaceship","set":1}""")).Targets());
        Assert.Equal(["files"], (await ResolveAsync("data", new string('x', 1024 * 1024 + 1))).Targets());
    }

    [Fact]
    public async Task A_reader_gets_no_signature_to_write_with()
    {
        using var reader = host.With(await Tokens.PrincipalAsync(host, "acdd72a7-3385-48ef-bd42-f606fba81ae7", $"/subscriptions/{arm.Main.SubscriptionId}"));
        using var answer = await reader.PostAsync(new Uri($"/zaffre/v1{arm.Main.Id}/yaml:resolve", UriKind.Relative), new StringContent("{}"));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private Task<(HttpStatusCode Status, JsonObject Body)> ResolveAsync(string kind, string yaml, params (string Name, string Text)[] more)
    {
        var files = new JsonObject { ["main.yml"] = yaml };
        foreach (var (name, text) in more)
        {
            files[name] = text;
        }

        return arm.PostAsync("/zaffre/v1~/yaml:resolve", new JsonObject { ["kind"] = kind, ["file"] = "main.yml", ["files"] = files }.ToJsonString());
    }
}
