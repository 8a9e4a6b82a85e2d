using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Zaffre.Kernel;
using Zaffre.Wire;
using Zaffre.WireGen;

namespace Zaffre.Tests.Unit.Wire;

public sealed class GeneratedRecordsTests
{
    [Fact]
    public async Task Regenerating_changes_nothing()
    {
        var expected = WireGenerator.Generate(ModelSpec.Parse(await File.ReadAllTextAsync(Repository.Path("spec/arm-models.json"))));
        var folder = Repository.Path("src/Wire/Generated");

        Assert.Equal(expected.Keys, Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var (name, text) in expected)
        {
            Assert.True(text == await File.ReadAllTextAsync(Path.Combine(folder, name)), $"{name} differs: run tools/WireGen");
        }
    }

    [Fact]
    public void Every_record_can_be_serialized()
    {
        var records = typeof(JobBase).Assembly.GetExportedTypes().Where(type => !type.IsAbstract).ToList();

        Assert.True(records.Count > 480, $"{records.Count} records");
        Assert.All(
            records.Where(type => type.Namespace == "Zaffre.Wire"),
            type => Assert.Equal(JsonTypeInfoKind.Object, ZaffreJson.Options.GetTypeInfo(type).Kind));
    }

    [Theory]
    [InlineData("command-job.json", typeof(JobBase))]
    [InlineData("datastore.json", typeof(Datastore))]
    [InlineData("online-deployment.json", typeof(OnlineDeployment))]
    public void A_body_of_the_SDK_survives_the_round_trip(string file, Type type)
    {
        var sent = JsonNode.Parse(File.ReadAllText(Repository.Path("tests/Unit/Wire/Bodies/" + file)));

        var returned = JsonSerializer.SerializeToNode(sent.Deserialize(type, ZaffreJson.Options), type, ZaffreJson.Options);

        Assert.True(JsonNode.DeepEquals(sent, returned), returned!.ToJsonString());
    }

    [Fact]
    public void Inputs_and_outputs_are_read_as_their_kinds()
    {
        var job = Read<JobBase>(File.ReadAllText(Repository.Path("tests/Unit/Wire/Bodies/command-job.json")));

        var command = Assert.IsType<CommandJob>(job.Properties);
        Assert.IsType<UriFolderJobInput>(command.Inputs!["data"]);
        Assert.Equal("0.1", Assert.IsType<LiteralJobInput>(command.Inputs["lr"]).Value);
        Assert.Equal("PT2M", command.Limits!.Timeout);
        Assert.IsType<PyTorch>(command.Distribution);
    }

    [Fact]
    public void A_discriminator_may_come_last_and_in_any_casing()
    {
        var properties = Read<JobBaseProperties>("""{"command":"true","jobType":"command"}""");

        Assert.Equal("true", Assert.IsType<CommandJob>(properties).Command);
        Assert.Equal("command", properties.JobType);
    }

    [Theory]
    [InlineData("""{"jobType":"Quantum","qubits":7}""")]
    [InlineData("""{"qubits":7}""")]
    public void An_unknown_kind_keeps_its_members(string body)
    {
        var properties = Read<JobBaseProperties>(body);

        Assert.IsType<UnknownJobBaseProperties>(properties);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(body), JsonSerializer.SerializeToNode(properties, ZaffreJson.Options)));
    }

    [Fact]
    public void An_unknown_member_is_kept_where_it_was()
    {
        var job = Read<CommandJob>("""{"command":"true","newInSpring":{"a":[1]},"resources":{"alsoNew":1}}""");

        Assert.Equal("""{"a":[1]}""", job.Unknown!["newInSpring"].GetRawText());
        Assert.Equal("1", job.Resources!.Unknown!["alsoNew"].GetRawText());
    }

    [Theory]
    [InlineData("\"text\"")]
    [InlineData("[]")]
    [InlineData("7")]
    public void A_kind_that_is_no_object_is_refused(string body) =>
        Assert.Throws<JsonException>(() => Read<JobBaseProperties>(body));

    [Fact]
    public void A_new_record_says_its_kind() =>
        Assert.Equal("""{"jobLimitsType":"Command"}""", JsonSerializer.Serialize<JobLimits>(new CommandJobLimits(), ZaffreJson.Options));

    private static T Read<T>(string body) => JsonSerializer.Deserialize<T>(body, ZaffreJson.Options)!;
}
