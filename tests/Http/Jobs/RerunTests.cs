using System.Net;
using System.Net.Http.Json;
using Zaffre.Identity.Access;
using Zaffre.Storage;
using Zaffre.Tests.Http.Identity;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Jobs once more, from what was stored.</summary>
public sealed class RerunTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task A_command_runs_again_with_the_versions_of_then_and_leaves_the_first_results_alone()
    {
        await DataAsync("again-data", "1", "of then");
        (await Jobs.PutAsync("again", """
            {"command":"cat ${{inputs.text}}; date +%N > ${{outputs.out}}; date +%N > ${{outputs.fixed}}; echo $SEED","environmentVariables":{"SEED":"17"},
             "inputs":{"text":{"jobInputType":"uri_file","uri":"azureml:again-data@latest"}},
             "outputs":{"out":{"jobOutputType":"uri_file","assetName":"again-out","assetVersion":"1"},"fixed":{"jobOutputType":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/again/fixed.txt"}}}
            """)).Ok();
        var (first, log) = await Jobs.EndAsync("again");
        Assert.Equal(("Completed", "of then17\n"), (first.At("properties.status"), log));
        var written = await pipelines.ReadAsync("azureml://datastores/workspaceblobstore/paths/again/fixed.txt");
        await DataAsync("again-data", "2", "of now");

        var created = await RerunAsync("again", """{"name":"again_b","displayName":"once more"}""");
        Assert.Equal(HttpStatusCode.Created, created.Status);
        var (second, secondLog) = await Jobs.EndAsync("again_b");
        Assert.Equal(("Completed", "of then17\n"), (second.At("properties.status"), secondLog));
        Assert.Equal(("once more", "again"), (second.At("properties.displayName"), second["properties"]!["properties"]!["zaffre.rerunOf"]!.ToString()));
        Assert.Equal(written, await pipelines.ReadAsync("azureml://datastores/workspaceblobstore/paths/again/fixed.txt"));
        Assert.NotEqual(written, await pipelines.ReadAsync("azureml://jobs/again_b/outputs/fixed/paths/"));
        Assert.Equal(await pipelines.ReadAsync("azureml://jobs/again_b/outputs/out/paths/"), await pipelines.ReadAsync("azureml:again-out:2"));

        // What the server says of a job stays when a client sends the rest back; the copy of a copy still knows the version.
        (await Arm.PutAsync("~/jobs/again_b", """{"properties":{"jobType":"Command","properties":{"mine":"x"}}}""")).Ok();
        Assert.Equal("again", (await Arm.GetAsync("~/jobs/again_b")).Ok()["properties"]!["properties"]!["zaffre.rerunOf"]!.ToString());
        var third = (await RerunAsync("again_b", body: null)).Body;
        Assert.StartsWith("again_b_rerun_", third.At("name"), StringComparison.Ordinal);
        Assert.Equal("of then17\n", (await Jobs.EndAsync(third.At("name"))).Log);
    }

    [Fact]
    public async Task A_pipeline_runs_again_with_the_components_of_then_and_so_does_a_step_by_itself()
    {
        await DataAsync("whole-data", "1", "then ");
        await pipelines.ComponentAsync("whole_one", """{"command":"cat ${{inputs.a}} > ${{outputs.b}}; echo first >> ${{outputs.b}}","inputs":{"a":{"type":"uri_file"}},"outputs":{"b":{"type":"uri_file"}}}""");
        (await pipelines.PutAsync("whole", """
            {"settings":{"default_compute":"serverless"},"inputs":{"text":{"jobInputType":"uri_file","uri":"azureml:whole-data@latest"}},"outputs":{"last":{"jobOutputType":"uri_file"}},
             "jobs":{"one":{"componentId":"WORKSPACE/components/whole_one/labels/latest","inputs":{"a":{"job_input_type":"literal","value":"${{parent.inputs.text}}"} } },
                     "two":{"componentId":"@whole_one","inputs":{"a":{"job_input_type":"literal","value":"${{parent.jobs.one.outputs.b}}"} },"outputs":{"b":{"type":"literal","value":"${{parent.outputs.last}}"} } } } }
            """.Replace("WORKSPACE", Arm.Main.Id.Value, StringComparison.Ordinal))).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("whole")).Job.At("properties.status"));
        await DataAsync("whole-data", "2", "now ");
        (await Arm.PutAsync("~/components/whole_one/versions/2", """
            {"properties":{"componentSpec":{"name":"whole_one","type":"command","command":"echo second > ${{outputs.b}}","environment":"azureml:WORKSPACE/environments/plain/versions/1",
             "inputs":{"a":{"type":"uri_file"} },"outputs":{"b":{"type":"uri_file"} } } } }
            """.Replace("WORKSPACE", Arm.Main.Id.Value, StringComparison.Ordinal))).Ok();

        var again = (await RerunAsync("whole", """{"name":"whole_again"}""")).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("whole_again")).Job.At("properties.status"));
        Assert.Equal("then first\nfirst\n", await pipelines.ReadAsync("azureml://jobs/whole_again/outputs/last/paths/"));
        Assert.Equal("whole", again["properties"]!["properties"]!["zaffre.rerunOf"]!.ToString());

        (await RerunAsync("whole_two", """{"name":"whole_two_alone"}""")).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("whole_two_alone")).Job.At("properties.status"));
        Assert.Equal("then first\nfirst\n", await pipelines.ReadAsync("azureml://jobs/whole_two_alone/outputs/b/paths/"));
        Assert.Contains("whole_two_alone", (await Arm.GetAsync("~/jobs")).Ok().Names());
    }

    [Fact]
    public async Task What_cannot_run_again_is_told()
    {
        (await Jobs.PutAsync("told", """{"command":"true"}""")).Ok();
        await Jobs.EndAsync("told");
        Assert.Equal("ResourceNotFound", (await RerunAsync("nobody", body: null)).Fails(HttpStatusCode.NotFound));
        Assert.Equal("JobAlreadyExists", (await RerunAsync("told", """{"name":"told"}""")).Fails(HttpStatusCode.Conflict));
        Assert.Equal("seed", Assert.Single((await RerunAsync("told", """{"seed":1}""")).Targets()));
        Assert.Equal("name", Assert.Single((await RerunAsync("told", """{"name":{} }""")).Targets()));
        Assert.Equal("name", Assert.Single((await RerunAsync("told", """{"name":"no name"}""")).Targets()));

        await DataAsync("told-data", "1", "x");
        (await Jobs.PutAsync("told_data", """{"command":"true","inputs":{"x":{"jobInputType":"uri_file","uri":"azureml:told-data@latest"}}}""")).Ok();
        await Jobs.EndAsync("told_data");
        await DataAsync("told-data", "2", "y");
        await Arm.DeleteAsync("~/data/told-data/versions/1");
        Assert.Equal("properties.inputs.x.uri", Assert.Single((await RerunAsync("told_data", body: null)).Targets()));

        using var reader = host.With(await Tokens.PrincipalAsync(host, RoleCatalog.Reader, Arm.Group));
        using var refused = await reader.PostAsJsonAsync(new Uri($"/zaffre/v1{Arm.Main.Id}/jobs/told/rerun", UriKind.Relative), new { });
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private Task<(HttpStatusCode Status, System.Text.Json.Nodes.JsonObject Body)> RerunAsync(string job, string? body) => Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{job}/rerun", body);

    private async Task DataAsync(string name, string version, string text)
    {
        var store = (await host.Get<IDatastores>().ResolveAsync(Arm.Main, "workspaceblobstore", CancellationToken.None)).Value;
        var place = store.Child($"rerun/{name}/{version}.txt");
        await using var content = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        _ = (await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, place.Path), content, new BlobWrite(), CancellationToken.None)).Value;
        (await Arm.PutAsync($"~/data/{name}/versions/{version}", $$"""{"properties":{"dataType":"uri_file","dataUri":"azureml://datastores/workspaceblobstore/paths/rerun/{{name}}/{{version}}.txt"} }""")).Ok();
    }
}
