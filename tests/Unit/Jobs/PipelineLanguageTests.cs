using System.Text.Json.Nodes;
using Zaffre.Jobs.Submission;
using Zaffre.Jobs.Submission.Pipelines;

namespace Zaffre.Tests.Unit.Jobs;

/// <summary>The small parts of the pipeline language.</summary>
public sealed class PipelineLanguageTests
{
    [Theory]
    [InlineData("${{parent.inputs.x}}", null, false, "x")]
    [InlineData(" ${{ parent.outputs.a.b }} ", null, true, "a.b")]
    [InlineData("${{parent.jobs.s-1.outputs.model}}", "s-1", true, "model")]
    [InlineData("${{parent.jobs.s.inputs.n}}", "s", false, "n")]
    public void A_reference_is_the_whole_value(string text, string? step, bool output, string name) =>
        Assert.Equal(new Reference(step, output, name), Reference.TryParse(text));

    [Theory]
    [InlineData("a ${{parent.inputs.x}}")]
    [InlineData("${{inputs.x}}")]
    [InlineData("${{parent.jobs.s}}")]
    [InlineData("${{parent.inputs.}}")]
    [InlineData("plain")]
    public void Everything_else_is_none(string text) => Assert.Null(Reference.TryParse(text));

    [Theory]
    [InlineData("integer", "7", true)]
    [InlineData("integer", "7.0", false)]
    [InlineData("integer", "-1", false)]
    [InlineData("number", "1e1", true)]
    [InlineData("number", "NaN", false)]
    [InlineData("number", "11", false)]
    [InlineData("boolean", "True", true)]
    [InlineData("boolean", "1", false)]
    [InlineData("string", "anything", true)]
    public void A_value_is_held_against_type_and_bounds(string type, string value, bool fits) =>
        Assert.Equal(fits, new Port(type) { Min = 0, Max = 10 }.Problem(value) is null);

    [Fact]
    public void Of_choices_one_is_taken_as_it_is_spelled()
    {
        var port = new Port("string") { Choices = ["a", "b"] };
        Assert.Equal((true, false), (port.Problem("a") is null, port.Problem("A") is null));
    }

    [Theory]
    [InlineData("uri_folder", "uri_folder", true)]
    [InlineData("uri_folder", "mlflow_model", true)]
    [InlineData("uri_folder", "uri_file", false)]
    [InlineData("uri_file", "uri_folder", false)]
    [InlineData("mltable", "uri_folder", true)]
    [InlineData("mlflow_model", "triton_model", false)]
    [InlineData("custom_model", "uri_file", true)]
    public void What_a_step_writes_fits_what_another_reads_or_not(string wanted, string given, bool fits) => Assert.Equal(fits, PortTypes.Fits(wanted, given));

    [Fact]
    public void Optional_blocks_go_with_their_input()
    {
        var findings = new Findings();
        var component = new Component
        {
            Id = "c",
            Kind = "Command",
            Spec = [],
            Inputs = new Dictionary<string, Port>(StringComparer.Ordinal) { ["a"] = new("string") { Optional = true }, ["b"] = new("string") { Optional = true }, ["c"] = new("string") },
            Outputs = new Dictionary<string, Port>(StringComparer.Ordinal),
        };
        var absent = new HashSet<string>(StringComparer.Ordinal) { "b" };
        const string command = "run $[[-a ${{inputs.a}}]] $[[-b ${{ inputs.b }}]] $[[-x]] ${{inputs.c}}";
        Assert.Equal("run -a ${{inputs.a}}  -x ${{inputs.c}}", CommandTemplate.Resolve(command, component, (absent, new HashSet<string>(StringComparer.Ordinal)), "at", findings));
        Assert.False(findings.Any);
        CommandTemplate.Resolve("$[[${{inputs.c}}]] ${{inputs.b}}", component, (absent, new HashSet<string>(StringComparer.Ordinal)), "at", findings);
        Assert.Equal(2, findings.Count);
    }

    [Fact]
    public void Names_become_camel_case_but_for_the_users_own()
    {
        var camel = SnakeCase.ToCamel(JsonNode.Parse("""{"instance_count":1,"properties":{"a_b":{"c_d":1}},"_source":"x","shm_size":"2g"}""")!.AsObject());
        Assert.Equal("""{"instanceCount":1,"properties":{"a_b":{"c_d":1}},"_source":"x","shmSize":"2g"}""", camel.ToJsonString());
    }
}
