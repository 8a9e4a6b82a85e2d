using System.Text.Json.Nodes;
using Zaffre.Jobs.Submission;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Jobs;

public sealed class CommandReaderTests
{
    private const string Minimal = """{"jobType":"Command","command":"true","environmentId":"e"}""";

    [Fact]
    public void The_smallest_job_has_the_defaults()
    {
        var spec = Read(Minimal, out var findings);
        Assert.False(findings.Any);
        Assert.Equal(("true", "Default", null, 2), (spec.Command, spec.Experiment, spec.Timeout, spec.Rank));
    }

    [Fact]
    public void Everything_wrong_is_reported_at_once_with_its_path()
    {
        Read("""
            {"jobType":"Command","displayName":7,"experimentName":"a\u0001b","tags":["x"],"environmentVariables":{"1A":"x","B":{}},
             "inputs":{"a b":{"jobInputType":"literal","value":"1"},"c":{"jobInputType":"folder","uri":"u"},"d":{"jobInputType":"uri_file"},"e":{"jobInputType":"uri_file","uri":"u","mode":"Fast"},"f":7,"g":{"jobInputType":"literal"}},
             "outputs":{"o":{"jobOutputType":"literal"},"p":{"jobOutputType":"uri_folder","assetName":"../x"}},
             "limits":{"jobLimitsType":"Sweep","timeout":"-PT1S"},"resources":{"instanceCount":"many","shmSize":"large"},"queueSettings":{"priority":9}}
            """, out var findings);
        var targets = findings.Combined.Details.Select(d => d.Target).ToArray();
        Assert.Equal(
            [
                "properties.command", "properties.environmentId", "properties.environmentVariables.1A", "properties.environmentVariables.B", "properties.experimentName",
                "properties.inputs.a b", "properties.inputs.c.jobInputType", "properties.inputs.d.uri", "properties.inputs.e.mode", "properties.inputs.f", "properties.inputs.g.value",
                "properties.limits.jobLimitsType", "properties.limits.timeout", "properties.outputs.o.jobOutputType", "properties.outputs.p.assetName",
                "properties.queueSettings.priority", "properties.resources.instanceCount", "properties.resources.shmSize", "properties.tags",
            ],
            targets.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("\"distribution\":{\"distributionType\":\"Ray\"}", "properties.distribution")]
    [InlineData("\"services\":{\"nb\":{\"jobServiceType\":\"JupyterLab\"}}", "properties.services.nb")]
    [InlineData("\"resources\":{\"dockerArgs\":\"--gpus\"}", "properties.resources.dockerArgs")]
    [InlineData("\"resources\":{\"properties\":{\"IsLocal\":{\"IsLocal\":true}}}", "properties.resources.properties.IsLocal")]
    [InlineData("\"componentId\":\"c\"", "properties.componentId")]
    public void A_known_member_without_an_engine_is_refused_by_name(string member, string target)
    {
        Read(Minimal[..^1] + "," + member + "}", out var findings);
        Assert.Equal((ProblemKind.Unsupported, "OperationNotSupported", target), (findings.Combined.Kind, findings.Combined.Code, findings.Combined.Target));
    }

    [Theory]
    [InlineData("\"identity\":{\"identityType\":\"Somebody\"}", "properties.identity.identityType")]
    [InlineData("\"inputs\":{\"t\":{\"jobInputType\":\"uri_folder\",\"uri\":\"u\",\"mode\":\"EvalMount\"}}", "properties.inputs.t.mode")]
    public void Identities_and_modes_that_there_are_not_are_mistakes(string member, string target)
    {
        Read(Minimal[..^1] + "," + member + "}", out var findings);
        Assert.Equal(("ValidationError", target), (findings.Combined.Code, findings.Combined.Target));
    }

    [Theory]
    [InlineData("\"identity\":{\"identityType\":\"Managed\",\"clientId\":\"c\"}")]
    [InlineData("\"identity\":{\"identityType\":\"UserIdentity\"}")]
    [InlineData("\"inputs\":{\"t\":{\"jobInputType\":\"mltable\",\"uri\":\"u\",\"mode\":\"EvalMount\"},\"d\":{\"jobInputType\":\"mltable\",\"uri\":\"u\",\"mode\":\"EvalDownload\"}}")]
    public void Every_identity_and_every_mode_of_a_table_is_taken(string member)
    {
        Read(Minimal[..^1] + "," + member + "}", out var findings);
        Assert.False(findings.Any, findings.Any ? findings.Combined.Message : "");
    }

    [Fact]
    public void Members_of_an_answer_and_unknown_ones_are_tolerated()
    {
        Read(Minimal[..^1] + """
            ,"status":"Completed","parameters":{},"services":{"Studio":{"jobServiceType":"Studio"},"Tracking":null},"outputs":{"default":{"jobOutputType":"uri_folder"}},
            "distribution":null,"resources":{"instanceCount":1,"shmSize":"2g","properties":{}},"identity":{"identityType":"AMLToken"},"fromTheFuture":{"a":[1]}}
            """, out var findings);
        Assert.False(findings.Any, findings.Any ? findings.Combined.Message : "");
    }

    [Theory]
    [InlineData("PT1S", 1)]
    [InlineData("PT1M40S", 100)]
    [InlineData("P1D", 86400)]
    public void A_duration_is_read(string text, int seconds)
    {
        Assert.True(Durations.TryRead(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("60")]
    [InlineData("PT0S")]
    [InlineData("P99999999999Y")]
    public void What_is_no_positive_duration_is_refused(string text) => Assert.False(Durations.TryRead(text, out _));

    [Theory]
    [InlineData("a", true)]
    [InlineData("9-x_Y", true)]
    [InlineData("-a", false)]
    [InlineData("a/b", false)]
    [InlineData("a.b", false)]
    [InlineData("a\n", false)]
    [InlineData("", false)]
    public void A_job_name_is_checked(string name, bool legal) => Assert.Equal(legal, Names.IsJob(name));

    [Fact]
    public void A_job_name_has_at_most_255_characters()
    {
        Assert.True(Names.IsJob(new string('a', 255)));
        Assert.False(Names.IsJob(new string('a', 256)));
    }

    private static CommandSpec Read(string json, out Findings findings) => CommandReader.Read(JsonNode.Parse(json)!.AsObject(), findings = new Findings());
}
