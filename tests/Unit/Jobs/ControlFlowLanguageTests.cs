using System.Text.Json.Nodes;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Tests.Unit.Jobs;

/// <summary>How the nodes that decide and repeat are read, and put in their places.</summary>
public sealed class ControlFlowLanguageTests
{
    [Fact]
    public void A_loop_takes_its_bodys_place_and_what_reads_the_body_waits_for_the_loop()
    {
        var (nodes, findings) = Arranged("""
            {"body":{"type":"command","componentId":"c","inputs":{"a":{"value":"${{parent.jobs.first.outputs.o}}"}}},
             "first":{"type":"command","componentId":"c"},
             "again":{"type":"do_while","body":"${{ parent.jobs.body }}","condition":"more","mapping":{"o":["a"]},"limits":{"max_iteration_count":"7"}},
             "after":{"type":"command","componentId":"c","inputs":{"a":{"value":"${{parent.jobs.body.outputs.o}}"}}}}
            """);
        Assert.False(findings.Any);
        Assert.Equal(["first", "again", "after"], StepOrder.Sort(nodes, "jobs", findings).Select(node => node.Name));
        var loop = nodes.Single(node => node.Name == "again");
        var control = Assert.IsType<DoWhile>(loop.Control);
        Assert.Equal(("body", 7, "more", "c"), (control.Body!.Name, control.Most, control.Condition, loop.ComponentId));
        Assert.Equal(["a"], control.Mapping["o"]);
    }

    [Fact]
    public void The_steps_of_both_blocks_wait_for_the_decision()
    {
        var (nodes, findings) = Arranged("""
            {"no":{"type":"command","componentId":"c"},"yes":{"type":"command","componentId":"c"},"test":{"type":"command","componentId":"c"},
             "check":{"type":"if_else","condition":"${{parent.jobs.test.outputs.flag}}","true_block":["${{parent.jobs.yes}}"],"false_block":"${{parent.jobs.no}}"}}
            """);
        Assert.False(findings.Any);
        Assert.Equal(["test", "check", "no", "yes"], StepOrder.Sort(nodes, "jobs", findings).Select(node => node.Name));
    }

    [Theory]
    [InlineData("""[{"a":1},{"a":"x"}]""", 2)]
    [InlineData("""{"one":{"a":true}}""", 1)]
    [InlineData("""[{}]""", 1)]
    public void Items_are_a_list_or_a_map_of_objects(string items, int count)
    {
        var findings = new Findings();
        Assert.Equal(count, LoopItems.Read(LoopItems.Parse(items, "items", findings)!, "items", findings)!.Count);
        Assert.False(findings.Any);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[null]")]
    [InlineData("""[{"a":1},{"b":1}]""")]
    [InlineData("""[{"a":"${{inputs.x}}"}]""")]
    [InlineData("""[{"a":[1]}]""")]
    public void Other_items_are_refused(string items)
    {
        var findings = new Findings();
        Assert.Null(LoopItems.Read(LoopItems.Parse(items, "items", findings)!, "items", findings));
        Assert.True(findings.Any);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("words")]
    [InlineData("[{")]
    [InlineData("\"[]\"")]
    public void Items_that_are_no_list_or_map_are_refused(string items)
    {
        var findings = new Findings();
        Assert.Null(LoopItems.Parse(items, "items", findings));
        Assert.Equal(1, findings.Count);
    }

    [Fact]
    public void What_may_have_no_value_stays_in_its_block_until_that_is_known()
    {
        var component = new Component
        {
            Id = "c",
            Kind = "Command",
            Spec = [],
            Inputs = new Dictionary<string, Port>(StringComparer.Ordinal) { ["late"] = new("string") { Optional = true }, ["none"] = new("string") { Optional = true } },
            Outputs = new Dictionary<string, Port>(StringComparer.Ordinal),
        };
        var findings = new Findings();
        var command = CommandTemplate.Resolve(
            "run $[[-l ${{inputs.late}}]]$[[-n ${{inputs.none}}]]", component, (new HashSet<string>(StringComparer.Ordinal) { "none" }, new HashSet<string>(StringComparer.Ordinal) { "late" }), "at", findings);
        Assert.Equal("run $[[-l ${{inputs.late}}]]", command);
        Assert.Equal("run -l ${{inputs.late}}", CommandTemplate.Finish(command, []));
        Assert.Equal("run ", CommandTemplate.Finish(command, ["late"]));
        Assert.False(findings.Any);
    }

    [Theory]
    [InlineData("string", "boolean", true)]
    [InlineData("number", "integer", true)]
    [InlineData("integer", "number", false)]
    [InlineData("boolean", "string", false)]
    [InlineData("uri_file", "string", false)]
    [InlineData("string", "uri_file", false)]
    public void A_value_fits_what_can_hold_it(string wanted, string given, bool fits) => Assert.Equal(fits, PortTypes.Fits(wanted, given));

    private static (IReadOnlyList<Node> Nodes, Findings Findings) Arranged(string jobs)
    {
        var findings = new Findings();
        var map = JsonNode.Parse(jobs)!.AsObject();
        return (ControlFlowNodes.Arrange(NodeReader.Read(map, "jobs", findings), [.. map.Select(pair => pair.Key)], findings), findings);
    }
}
