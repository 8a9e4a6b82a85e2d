using System.Text.Json.Nodes;
using Zaffre.Assets.Yaml;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Assets;

/// <summary><c>--set</c> over a parsed file.</summary>
public sealed class YamlSetTests
{
    private readonly List<Problem> problems = [];

    [Theory]
    [InlineData("""{"a.b.c":"1"}""", """{"n":"x","list":[{"k":1},2],"m":{"d.e":3},"a":{"b":{"c":1}}}""")]
    [InlineData("""{"list[0].k":"9"}""", """{"n":"x","list":[{"k":9},2],"m":{"d.e":3}}""")]
    [InlineData("""{"list.1":"9"}""", """{"n":"x","list":[{"k":1},9],"m":{"d.e":3}}""")]
    [InlineData("""{"list[2]":"new"}""", """{"n":"x","list":[{"k":1},2,"new"],"m":{"d.e":3}}""")]
    [InlineData("""{"made[0].k":"v"}""", """{"n":"x","list":[{"k":1},2],"m":{"d.e":3},"made":[{"k":"v"}]}""")]
    [InlineData("""{"m.d\\.e":"4"}""", """{"n":"x","list":[{"k":1},2],"m":{"d.e":4}}""")]
    [InlineData("""{"n":null}""", """{"n":null,"list":[{"k":1},2],"m":{"d.e":3}}""")]
    [InlineData("""{"n":"null"}""", """{"n":"null","list":[{"k":1},2],"m":{"d.e":3}}""")]
    [InlineData("""{"n":""}""", """{"n":"","list":[{"k":1},2],"m":{"d.e":3}}""")]
    [InlineData("""{"m":{"x":[1]},"m.y":"z"}""", """{"n":"x","list":[{"k":1},2],"m":{"x":[1],"y":"z"}}""")]
    public void Paths_reach_maps_and_lists(string set, string expected)
    {
        Assert.Equal(expected, Apply(set));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("""{"n.x":"1"}""", "'n' is the text 'x', and has no 'x' below it; set 'n' itself, or write a map in the file")]
    [InlineData("""{"list[3]":"1"}""", "'list[3]' is no item of a list of 2; 2 is the place behind its end")]
    [InlineData("""{"list.k":"1"}""", "'list.k' is no item of a list of 2; 2 is the place behind its end")]
    [InlineData("""{"m[0]":"1"}""", "'m' is a map, and [0] asks for an item of a list")]
    [InlineData("""{"a..b":"1"}""", "'a..b' is no path: write names with dots between them, such as inputs.rate or list[0].name")]
    [InlineData("""{".a":"1"}""", "'.a' is no path: write names with dots between them, such as inputs.rate or list[0].name")]
    [InlineData("""{"":"1"}""", "'' is no path: write names with dots between them, such as inputs.rate or list[0].name")]
    public void What_has_no_place_is_told_by_its_path(string set, string message)
    {
        Apply(set);
        var problem = Assert.Single(problems);
        Assert.Equal((message, "--set " + JsonNode.Parse(set)!.AsObject().Single().Key), (problem.Message, problem.Target));
    }

    [Fact]
    public void What_is_wrong_with_a_value_that_was_set_names_set()
    {
        var map = YamlFiles.Read("f.yml", "m: {}\n", problems, (JsonObject)JsonNode.Parse("""{"m.count":"many","comput":"x"}""")!)!;
        map.Map("m")!.Integer("count");
        map.RejectUnknown();
        Assert.Equal(["--set m.count", "--set comput"], problems.Select(problem => problem.Target));
    }

    private string? Apply(string set) =>
        YamlFiles.Read("f.yml", "n: x\nlist: [{k: 1}, 2]\nm: {d.e: 3}\n", problems, (JsonObject)JsonNode.Parse(set)!)?.ToJson().ToJsonString();
}
