using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What is accepted, what is refused, and what of a job may change.</summary>
public sealed class JobDocumentTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly JobClient jobs = new(host);

    private Arm Arm => jobs.Arm;

    [Fact]
    public async Task Everything_wrong_is_listed_with_its_path_and_nothing_is_stored()
    {
        var answer = await jobs.PutAsync("wrong", """
            {"command":null,"environmentId":"azureml:nope:1","computeId":"nowhere","codeId":"/not/an/id","distribution":{"distributionType":"Ray"},
             "inputs":{"a":{"jobInputType":"uri_file","uri":"azureml:no-such-data:1"},"b":{"jobInputType":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/../x"}},
             "outputs":{"o":{"jobOutputType":"uri_folder","uri":"https://example.com/x"}}}
            """);
        Assert.Equal(
            [
                "properties.codeId", "properties.command", "properties.computeId", "properties.distribution", "properties.environmentId",
                "properties.inputs.a.uri", "properties.inputs.b.uri", "properties.outputs.o.uri",
            ],
            answer.Targets().Order(StringComparer.Ordinal));
        (await Arm.GetAsync("~/jobs/wrong")).Fails(HttpStatusCode.NotFound);
        (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/wrong")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("ExperimentRun/dcid.somebody-else/outputs/")]
    [InlineData("ExperimentRun/dcid.reach")]
    [InlineData("ExperimentRun/dcid.reaching/../dcid.other/")]
    [InlineData("ExperimentRun/")]
    public async Task An_output_among_the_artifacts_of_another_run_is_refused(string path)
    {
        var answer = await jobs.PutAsync("reaching", """{"command":"true","outputs":{"o":{"jobOutputType":"uri_folder","uri":"azureml://datastores/workspaceartifactstore/paths/PATH"}}}""".Replace("PATH", path, StringComparison.Ordinal));
        Assert.Equal("properties.outputs.o.uri", Assert.Single(answer.Targets()));
    }

    [Fact]
    public async Task A_command_that_no_program_can_be_given_is_refused() =>
        Assert.Equal("properties.command", Assert.Single((await jobs.PutAsync("long", $$"""{"command":"echo {{new string('x', 200_000)}}"}""")).Targets()));

    [Theory]
    [InlineData("Sweep")]
    [InlineData("AutoML")]
    [InlineData("Spark")]
    public async Task Other_job_types_are_refused_by_name(string type)
    {
        var answer = await jobs.PutAsync("other", $$"""{"jobType":"{{type}}"}""");
        Assert.Equal("OperationNotSupported", answer.Fails(HttpStatusCode.BadRequest));
        Assert.Contains(type, answer.Body.At("error.message"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("local")]
    [InlineData("azureml:local")]
    public async Task Compute_local_is_refused(string compute) =>
        Assert.Equal("OperationNotSupported", (await jobs.PutAsync("here", $$"""{"command":"true","computeId":"{{compute}}"}""")).Fails(HttpStatusCode.BadRequest));

    [Theory]
    [InlineData("a%20b")]
    [InlineData("-a")]
    [InlineData("a.b")]
    public async Task A_bad_name_is_refused(string name) => Assert.Contains("name", (await jobs.PutAsync(name, """{"command":"true"}""")).Targets());

    [Fact]
    public async Task A_data_asset_of_another_type_than_the_input_is_refused()
    {
        (await Arm.PutAsync("~/data/one-file/versions/1", """{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/x.csv"}}""")).Ok();
        var answer = await jobs.PutAsync("mistyped", """{"command":"true","inputs":{"d":{"jobInputType":"uri_folder","uri":"azureml:one-file:1"}}}""");
        Assert.Equal(["properties.inputs.d.jobInputType"], answer.Targets());
    }

    [Fact]
    public async Task What_people_say_about_a_job_may_change_and_what_it_was_made_from_may_not()
    {
        (await jobs.PutAsync("changing", """{"command":"true","tags":{"a":"1"},"outputs":{"o":{"jobOutputType":"uri_folder"}},"limits":{"jobLimitsType":"Command","timeout":"PT1M"}}""")).Ok();
        await jobs.EndAsync("changing");
        var whole = (await Arm.GetAsync("~/jobs/changing")).Ok();
        var properties = whole["properties"]!.AsObject();
        properties["tags"] = new JsonObject { ["b"] = "2" };
        properties["description"] = "said later";
        properties["isArchived"] = true;
        properties["outputs"]!["o"]!["mode"] = "ReadWriteMount";
        var changed = await Arm.PutAsync("~/jobs/changing", whole.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.Equal(("2", "said later", "Completed"), (changed.Body.At("properties.tags.b"), changed.Body.At("properties.description"), changed.Body.At("properties.status")));
        Assert.DoesNotContain("changing", (await Arm.GetAsync("~/jobs")).Ok().Names());
        Assert.Contains("changing", (await Arm.GetAsync("~/jobs?listViewType=ArchivedOnly")).Ok().Names());
        foreach (var (member, value) in new[] { ("command", "false"), ("computeId", "cpu-cluster"), ("environmentId", "azureml:other:1") })
        {
            var other = whole.DeepClone().AsObject();
            other["properties"]![member] = value;
            Assert.Equal("JobAlreadyExists", (await Arm.PutAsync("~/jobs/changing", other.ToJsonString())).Fails(HttpStatusCode.Conflict));
        }
    }

    [Fact]
    public async Task The_list_is_newest_first_filtered_and_paged()
    {
        foreach (var name in (string[])["list-1", "list-2", "list-3"])
        {
            (await jobs.PutAsync(name, $$$"""{"command":"true","tags":{"list":"{{{name}}}"}}""")).Ok();
        }

        Assert.Equal(["list-3", "list-2", "list-1"], (await Arm.GetAsync("~/jobs?tag=list")).Ok().Names());
        Assert.Equal(["list-2"], (await Arm.GetAsync("~/jobs?tag=list%3Dlist-2")).Ok().Names());
        Assert.Empty((await Arm.GetAsync("~/jobs?jobType=Pipeline")).Ok().Names());
        var first = (await Arm.GetAsync("~/jobs?tag=list&$top=2")).Ok();
        Assert.Equal(["list-3", "list-2"], first.Names());
        Assert.Equal(["list-1"], (await Arm.GetAsync(new Uri(first.At("nextLink")).PathAndQuery)).Ok().Names());
    }

    [Fact]
    public async Task Cancel_and_logs_of_a_job_that_does_not_exist_are_not_found()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await jobs.CancelAsync("nobody")).StatusCode);
        (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/nobody/logs")).Fails(HttpStatusCode.NotFound);
    }
}
