using Zaffre.Jobs.Execution.Reuse;
using Zaffre.Storage;

namespace Zaffre.Tests.Unit.Jobs;

/// <summary>What makes two steps the same, and how it is said when they are not.</summary>
public sealed class StepFactsTests
{
    private static readonly BlobAddress Here = new("account", "container", "here");

    private static readonly StepFacts One = new()
    {
        Workspace = "w",
        Command = "python train.py --rate ${{inputs.rate}}",
        Inputs = Map(("rate", new InputFact("literal", "Direct") { Value = "0.1" }), ("data", new InputFact("uri_folder", "Mount") { Digest = "d1", At = Here })),
        Outputs = Map(("model", new OutputFact("uri_folder", "Mount", null))),
        Variables = Map(("X", "1")),
        Code = new CodeFact("c1", Here),
        Environment = Map(("image", "debian"), ("condaFile", "dependencies:\n- pandas==1.5\n- numpy\n")),
    };

    [Fact]
    public void The_key_knows_content_and_not_places_or_order()
    {
        var same = One with
        {
            Inputs = Map(("data", new InputFact("uri_folder", "Mount") { Digest = "d1", At = Here.At("there") }), ("rate", new InputFact("literal", "Direct") { Value = "0.1" })),
            Code = new CodeFact("c1", Here.At("there")),
        };
        Assert.Equal(One.Key, same.Key);
    }

    [Fact]
    public void Every_fact_counts_and_parts_are_not_taken_for_one_another()
    {
        StepFacts[] others =
        [
            One with { Workspace = "v" },
            One with { Command = One.Command + " " },
            One with { Code = new CodeFact("c2", Here) },
            One with { Code = null },
            One with { Gang = "{}" },
            One with { Variables = Map(("X", "2")) },
            One with { Variables = Map(("X1", "")) },
            One with { Environment = Map(("image", "debian")) },
            One with { Outputs = Map(("model", new OutputFact("uri_folder", "Mount", "azureml://place"))) },
            One with { Outputs = Map(("model", new OutputFact("uri_file", "Mount", null))) },
            One with { Inputs = Map(("rate", new InputFact("literal", "Direct") { Value = "0.1" })) },
            One with { Inputs = Map(("rate", new InputFact("literal", "Direct") { Value = "0.2" }), ("data", One.Inputs["data"])) },
            One with { Inputs = Map(("rate", One.Inputs["rate"]), ("data", new InputFact("uri_folder", "Download") { Digest = "d1" })) },
        ];
        Assert.Equal(others.Length + 1, others.Append(One).Select(facts => facts.Key).Distinct().Count());
    }

    [Fact]
    public void Differences_are_said_in_words()
    {
        var now = One with
        {
            Command = "python train.py --speed ${{inputs.rate}}",
            Inputs = Map(("rate", new InputFact("literal", "Direct") { Value = "0.2" }), ("data", new InputFact("uri_folder", "Mount") { Digest = "d2" })),
            Variables = Map(("Y", "2")),
            Environment = Map(("image", "ubuntu"), ("condaFile", "dependencies:\n- pandas==2.0\n- scipy\n")),
            Code = new CodeFact("c2", Here),
            Outputs = Map(("model", new OutputFact("uri_folder", "Mount", "azureml://p"))),
        };
        Assert.Equal(
            [
                "command changed: ...--rate ${{inputs.rate}} -> ...--speed ${{inputs.rate}}",
                "code changed",
                "input data changed",
                "input rate changed: 0.1 -> 0.2",
                "variable X was removed",
                "variable Y was added",
                "environment changed: pandas==1.5 -> 2.0, numpy removed, scipy added",
                "environment changed: image debian -> ubuntu",
                "output model is asked for at another place: any -> azureml://p",
            ],
            StepDifferences.Between(One, now).Select(difference => difference.Text));
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("x", "")]
    [InlineData("a b", "a")]
    [InlineData("a", "a b c")]
    [InlineData("same", "same ")]
    public void Commands_of_any_shape_can_be_told_apart(string before, string after) =>
        Assert.StartsWith("command changed: ", Assert.Single(StepDifferences.Between(One with { Command = before }, One with { Command = after })).Text, StringComparison.Ordinal);

    private static Dictionary<string, T> Map<T>(params (string Name, T Value)[] pairs) => pairs.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
}
