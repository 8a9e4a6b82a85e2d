using Zaffre.Jobs.Submission;

namespace Zaffre.Tests.Unit.Jobs;

public sealed class ExpressionTests
{
    private static readonly Dictionary<string, string> Inputs = new(StringComparer.Ordinal) { ["rate"] = "0.1", ["text"] = "a 'b' \"c\" $HOME" };
    private static readonly Dictionary<string, string> Outputs = new(StringComparer.Ordinal) { ["model"] = "/mnt/out/model" };

    [Theory]
    [InlineData("run ${{inputs.rate}}", "run 0.1")]
    [InlineData("run ${{ inputs.rate }}-${{outputs.model}}/x", "run 0.1-/mnt/out/model/x")]
    [InlineData("no expression: $HOME ${HOME} {{inputs.rate}}", "no expression: $HOME ${HOME} {{inputs.rate}}")]
    [InlineData("${{inputs.rate}}${{inputs.rate}}", "0.10.1")]
    [InlineData("${{inputs.unknown}}", "${{inputs.unknown}}")]
    public void A_value_takes_the_place_of_its_expression(string text, string expected) =>
        Assert.Equal(expected, Expressions.Substitute(text, Inputs, Outputs));

    [Fact]
    public void A_value_is_put_in_without_quotes_and_never_read_again() =>
        Assert.Equal("echo a 'b' \"c\" $HOME ${{inputs.rate}}", Expressions.Substitute(
            "echo ${{inputs.text}} ${{inputs.again}}", new Dictionary<string, string>(Inputs, StringComparer.Ordinal) { ["again"] = "${{inputs.rate}}" }, Outputs));

    [Theory]
    [InlineData("${{inputs.other}}", "names an input that the job does not have: it declares rate, text.")]
    [InlineData("${{outputs.other}}", "names an output that the job does not have: it declares model.")]
    [InlineData("${{search_space.lr}}", "is no expression of a command job")]
    [InlineData("${{name}}", "is no expression of a command job")]
    [InlineData("${{inputs.Rate}}", "names an input that the job does not have")]
    public void An_expression_that_names_nothing_is_found(string text, string message)
    {
        var findings = new Findings();
        Expressions.Check(text, "properties.command", Inputs.Keys, Outputs.Keys, findings);
        Assert.Contains(message, findings.Combined.Message, StringComparison.Ordinal);
        Assert.Equal("properties.command", findings.Combined.Target);
    }

    [Fact]
    public void Macros_of_an_output_path_are_replaced_and_others_stay() =>
        Assert.Equal(
            "azureml://datastores/ds/paths/j1/o/${{inputs.x}}",
            Expressions.SubstituteMacros("azureml://datastores/${{default_datastore}}/paths/${{name}}/${{ output_name }}/${{inputs.x}}", "j1", "o", "ds"));
}
