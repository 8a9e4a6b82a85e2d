using Zaffre.Assets;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Assets;

public sealed class YamlMapTests
{
    private readonly List<Problem> problems = [];

    [Fact]
    public void Every_wrong_value_is_reported_at_its_place()
    {
        var map = Read("name: [1]\ncount: many\nflag: maybe\ninner:\n  x: {}\nlist: no\n");

        Assert.Null(map.Text("name"));
        Assert.Null(map.Integer("count"));
        Assert.Null(map.Flag("flag"));
        Assert.Null(map.Map("inner")!.Text("x"));
        Assert.Null(map.TextList("list"));
        Assert.Null(map.Text("missing", required: true));
        map.RejectUnknown();

        Assert.Equal(
            ["f.yml:1:7 name", "f.yml:2:8 count", "f.yml:3:7 flag", "f.yml:5:6 inner.x", "f.yml:6:7 list", "f.yml:1:1"],
            problems.Select(p => p.Target));
        Assert.All(problems, p => Assert.Equal("InvalidYaml", p.Code));
    }

    [Fact]
    public void Keys_that_nothing_read_are_unknown_also_below()
    {
        var map = Read("$schema: x\nname: n\nextra: 1\ninner: {a: 1, b: 2}\nid: z\n");
        map.Ignore("id");
        map.Text("name");
        map.Map("inner")!.Integer("a");
        map.RejectUnknown();
        Assert.Equal(["f.yml:3:1 extra", "f.yml:4:15 inner.b"], problems.Select(p => p.Target));
    }

    [Fact]
    public void Scalars_keep_their_text()
    {
        var map = Read("lr: 0.10\nyes: Yes\nmap: {a: 01, b: }\n");
        Assert.Equal("0.10", map.Text("lr"));
        Assert.Equal("Yes", map.Text("yes"));
        Assert.Equal("""{"a":"01","b":""}""", map.Texts("map")!.ToJsonString());
        Assert.Empty(problems);
    }

    [Fact]
    public void Set_writes_dotted_paths_before_validation()
    {
        var set = (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse("""{"inputs.lr":"0.5","new.deep.x":true,"name":"b"}""")!;
        var map = YamlFiles.Read("f.yml", "name: a\ninputs:\n  lr: 0.1\n  n: 3\n", problems, set)!;
        Assert.Equal("""{"name":"b","inputs":{"lr":0.5,"n":3},"new":{"deep":{"x":true}}}""", map.ToJson().ToJsonString());
        Assert.Empty(problems);
    }

    [Fact]
    public void Set_through_a_value_that_is_no_map_is_an_error()
    {
        var set = new System.Text.Json.Nodes.JsonObject { ["environment.image"] = "x", ["a..b"] = 1 };
        YamlFiles.Read("f.yml", "environment: azureml:e:1\n", problems, set);
        Assert.Equal(2, problems.Count);
        Assert.Equal("--set environment.image", problems[0].Target);
    }

    private YamlMap Read(string yaml) => YamlFiles.Read("f.yml", yaml, problems)!;
}
