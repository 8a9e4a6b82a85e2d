using System.Net;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Pipelines that really run, in this process's server.</summary>
public sealed class PipelineTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task Data_and_values_flow_from_the_pipeline_through_its_steps_to_its_outputs()
    {
        await pipelines.ComponentAsync("flow_make", """
            {"command":"echo ${{inputs.word}} $X $[[--rate ${{inputs.rate}}]] $[[--none ${{inputs.none}}]] > ${{outputs.made}}/word.txt","environment_variables":{"X":"c","Y":"y"},
             "inputs":{"word":{"type":"string"},"rate":{"type":"number","optional":true,"min":0,"max":1},"none":{"type":"string","optional":true}},"outputs":{"made":{"type":"uri_folder"}}}
            """);
        await pipelines.ComponentAsync("flow_join", """
            {"command":"cat ${{inputs.a}}/word.txt ${{inputs.b}}/word.txt > ${{outputs.all}}; echo $AZUREML_ROOT_RUN_ID",
             "inputs":{"a":{"type":"uri_folder"},"b":{"type":"uri_folder"}},"outputs":{"all":{"type":"uri_file"}}}
            """);
        var created = await pipelines.PutAsync("flow", """
            {"experimentName":"flows","settings":{"default_compute":"serverless","_source":"DSL"},
             "inputs":{"first":{"jobInputType":"literal","value":"one"}},"outputs":{"joined":{"jobOutputType":"uri_file","assetName":"flow-joined"}},
             "jobs":{"join":{"name":"join","type":"command","componentId":"@flow_join","_source":"YAML.JOB",
                             "inputs":{"a":{"job_input_type":"literal","value":"${{parent.jobs.left.outputs.made}}"},"b":{"job_input_type":"literal","value":"${{parent.jobs.right.outputs.made}}","mode":"Download"}},
                             "outputs":{"all":{"type":"literal","value":"${{parent.outputs.joined}}"}}},
                     "left":{"name":"left","type":"command","componentId":"@flow_make","inputs":{"word":{"job_input_type":"literal","value":"${{parent.inputs.first}}"},"rate":{"job_input_type":"literal","value":"0.5"}}},
                     "right":{"name":"right","type":"command","componentId":"@flow_make","environment_variables":{"X":"n"},"inputs":{"word":{"job_input_type":"literal","value":"${{parent.jobs.left.inputs.word}}"}}}}}
            """);
        Assert.Equal(HttpStatusCode.Created, created.Status);
        Assert.Equal("Running", created.Body.At("properties.status"));
        var (job, log) = await Jobs.EndAsync("flow");
        Assert.Equal(("Completed", log), (job.At("properties.status"), log));
        Assert.Equal("one c --rate 0.5\none n\n", await ReadAsync("azureml://jobs/flow/outputs/joined/paths/"));
        Assert.Equal("one c --rate 0.5\none n\n", await ReadAsync("azureml:flow-joined@latest"));
        Assert.Equivalent(new Dictionary<string, string>(StringComparer.Ordinal) { ["left"] = "Completed", ["right"] = "Completed", ["join"] = "Completed" }, await pipelines.StepsAsync("flow"));
        Assert.Contains("join: queued as the job flow_join", log, StringComparison.Ordinal);
        Assert.EndsWith("The pipeline flow completed.\n", log, StringComparison.Ordinal);
        Assert.Equal(log, await ReadAsync("azureml://jobs/flow/outputs/artifacts/paths/logs/azureml/executionlogs.txt"));
        var step = (await Arm.GetAsync("~/jobs/flow_join")).Ok();
        Assert.Equal(("Command", "flows", $"{Arm.Main.Id}/computes/serverless"), (step.At("properties.jobType"), step.At("properties.experimentName"), step.At("properties.computeId")));
        Assert.Equal("flow\n", (await Jobs.EndAsync("flow_join")).Log);
        var rundata = (await Arm.PostAsync($"/history/v1.0{Arm.Main.Id}/rundata", """{"runId":"flow"}""")).Ok();
        Assert.Equal("UriFile", rundata.At("runMetadata.outputs.joined.type"));
        Assert.Equal("azureml.PipelineRun", rundata.At("runMetadata.runType"));
        var details = (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/flow/details")).Ok();
        Assert.Contains("logs/azureml/executionlogs.txt", details["logFiles"]!.AsObject().Select(pair => pair.Key));
        Assert.DoesNotContain((await Arm.GetAsync("~/jobs")).Ok()["value"]!.AsArray(), listed => listed!["name"]!.ToString().StartsWith("flow_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_nested_pipeline_runs_as_a_step_with_steps()
    {
        await pipelines.ComponentAsync("nest_add", """{"command":"cat ${{inputs.text}} > ${{outputs.more}}; echo ${{inputs.what}} >> ${{outputs.more}}","inputs":{"text":{"type":"uri_file"},"what":{"type":"string","default":"x"}},"outputs":{"more":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("nest_start", """{"command":"echo begin > ${{outputs.more}}","outputs":{"more":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("nest_twice", $$$$"""
            {"type":"pipeline","inputs":{"text":{"type":"uri_file"},"what":{"type":"string"}},"outputs":{"result":{"type":"uri_file"}},
             "jobs":{"one":{"type":"command","componentId":"azureml:{{{{Arm.Main.Id}}}}/components/nest_add/versions/1","inputs":{"text":"${{parent.inputs.text}}","what":"${{parent.inputs.what}}"}},
                     "two":{"type":"command","componentId":"azureml:{{{{Arm.Main.Id}}}}/components/nest_add/versions/1","inputs":{"text":"${{parent.jobs.one.outputs.more}}"},"outputs":{"more":"${{parent.outputs.result}}"} } } }
            """);
        (await pipelines.PutAsync("nest", """
            {"outputs":{"final":{"jobOutputType":"uri_file"}},
             "jobs":{"start":{"type":"command","componentId":"@nest_start"},
                     "twice":{"type":"pipeline","componentId":"@nest_twice","inputs":{"text":{"value":"${{parent.jobs.start.outputs.more}}"},"what":{"value":"y"}},"outputs":{"result":{"value":"${{parent.outputs.final}}"}}},
                     "after":{"type":"command","componentId":"@nest_add","inputs":{"text":{"value":"${{parent.jobs.twice.outputs.result}}"}}}}}
            """)).Ok();
        var (job, log) = await Jobs.EndAsync("nest");
        Assert.Equal(("Completed", log), (job.At("properties.status"), log));
        Assert.Equal("begin\ny\nx\n", await ReadAsync("azureml://jobs/nest/outputs/final"));
        Assert.Equal("begin\ny\nx\nx\n", await ReadAsync("azureml://jobs/nest_after/outputs/more"));
        Assert.Equal(["one", "two"], (await pipelines.StepsAsync("nest_twice")).Keys);
        Assert.Equal("Pipeline", (await Arm.GetAsync("~/jobs/nest_twice")).Ok().At("properties.jobType"));
        Assert.Equal("nest", (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/nest_twice_one")).Ok().At("rootRunId"));
    }

    [Fact]
    public async Task Steps_that_need_a_failed_one_are_skipped_and_the_others_run()
    {
        await FailingComponentsAsync();
        (await pipelines.PutAsync("partly", Broken("true"))).Ok();
        var (job, _) = await Jobs.EndAsync("partly");
        Assert.Equal(("Failed", "StepFailed"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
        Assert.Contains("The step 'bad' (partly_bad) failed: (UserError)", job["properties"]!["properties"]!["zaffre.error.message"]!.ToString(), StringComparison.Ordinal);
        Assert.Equivalent(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["bad"] = "Failed", ["needs"] = "Canceled", ["last"] = "Canceled", ["other"] = "Completed", ["then"] = "Completed" },
            await pipelines.StepsAsync("partly"));
        var skipped = (await Arm.GetAsync("~/jobs/partly_last")).Ok()["properties"]!["properties"]!;
        Assert.Equal("StepSkipped", skipped["zaffre.error.code"]!.ToString());
    }

    [Fact]
    public async Task With_continue_on_step_failure_false_a_failed_step_ends_the_others()
    {
        await FailingComponentsAsync();
        (await pipelines.PutAsync("strict", Broken("false").Replace("@fail_ok", "@fail_long", StringComparison.Ordinal))).Ok();
        var (job, log) = await Jobs.EndAsync("strict");
        Assert.Equal("Failed", job.At("properties.status"));
        var steps = await pipelines.StepsAsync("strict");
        Assert.Equal(("Failed", "Canceled", "Canceled"), (steps["bad"], steps["other"], steps["then"]));
        Assert.Contains("continue_on_step_failure is false", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canceled_pipeline_ends_its_whole_tree()
    {
        await FailingComponentsAsync();
        await pipelines.ComponentAsync("fail_inner", $$$$"""{"type":"pipeline","jobs":{"deep":{"type":"command","componentId":"{{{{Arm.Main.Id}}}}/components/fail_long/versions/1"}}}""");
        (await pipelines.PutAsync("stopped", """
            {"jobs":{"inner":{"type":"pipeline","componentId":"@fail_inner"},"long":{"type":"command","componentId":"@fail_long"},
                     "waits":{"type":"command","componentId":"@fail_reads","inputs":{"data":{"value":"${{parent.jobs.long.outputs.data}}"}}}}}
            """)).Ok();
        await Jobs.StatusAsync("stopped_inner_deep", "Running");
        await Jobs.StatusAsync("stopped_long", "Running");
        var cancel = await Jobs.CancelAsync("stopped");
        Assert.Equal(HttpStatusCode.Accepted, cancel.StatusCode);
        var (job, _) = await Jobs.EndAsync("stopped");
        Assert.Equal(("Canceled", "JobCanceled"), (job.At("properties.status"), job["properties"]!["properties"]!["zaffre.error.code"]!.ToString()));
        Assert.All((await pipelines.StepsAsync("stopped")).Values, status => Assert.Equal("Canceled", status));
        Assert.Equal("Canceled", (await Arm.GetAsync("~/jobs/stopped_inner_deep")).Ok().At("properties.status"));
        Assert.Equal(HttpStatusCode.NoContent, (await Arm.GetAsync(cancel.Headers.Location!.PathAndQuery)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Jobs.CancelAsync("stopped")).StatusCode);
    }

    [Fact]
    public async Task A_step_goes_with_its_pipeline_only()
    {
        await FailingComponentsAsync();
        (await pipelines.PutAsync("gone", """{"jobs":{"a":{"type":"command","componentId":"@fail_ok"}}}""")).Ok();
        await Jobs.EndAsync("gone");
        Assert.Equal("JobIsStep", (await Arm.DeleteAsync("~/jobs/gone_a")).Fails(HttpStatusCode.Conflict));
        Assert.Equal("JobIsStep", (await Jobs.PutAsync("gone_a", """{"command":"true"}""")).Fails(HttpStatusCode.Conflict));
        Assert.Equal(HttpStatusCode.OK, (await Arm.DeleteAsync("~/jobs/gone")).Status);
        (await Arm.GetAsync("~/jobs/gone_a")).Fails(HttpStatusCode.NotFound);
        (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/gone_a")).Fails(HttpStatusCode.NotFound);
        (await pipelines.PutAsync("gone", """{"jobs":{"a":{"type":"command","componentId":"@fail_ok"}}}""")).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("gone")).Job.At("properties.status"));
    }

    [Fact]
    public async Task A_pipeline_is_archived_by_a_PUT_of_the_whole_answer_and_changed_by_none()
    {
        await FailingComponentsAsync();
        const string properties = """{"jobs":{"a":{"type":"command","componentId":"@fail_ok","environment_variables":{"N":1}}}}""";
        (await pipelines.PutAsync("kept", properties)).Ok();
        await Jobs.EndAsync("kept");
        var answer = (await Arm.GetAsync("~/jobs/kept")).Ok();
        answer["properties"]!["isArchived"] = true;
        answer["properties"]!["jobs"]!["a"]!["environment_variables"]!["N"] = "1";
        Assert.Equal("true", (await Arm.PutAsync("~/jobs/kept", answer.ToJsonString())).Ok().At("properties.isArchived"));
        Assert.Equal("JobAlreadyExists", (await pipelines.PutAsync("kept", properties.Replace("\"N\":1", "\"N\":2", StringComparison.Ordinal))).Fails(HttpStatusCode.Conflict));
    }

    private async Task FailingComponentsAsync()
    {
        await pipelines.ComponentAsync("fail_bad", """{"command":"echo oops; exit 3","outputs":{"data":{"type":"uri_folder"}}}""");
        await pipelines.ComponentAsync("fail_ok", """{"command":"echo fine","outputs":{"data":{"type":"uri_folder"}}}""");
        await pipelines.ComponentAsync("fail_long", """{"command":"echo up; sleep 100","outputs":{"data":{"type":"uri_folder"}}}""");
        await pipelines.ComponentAsync("fail_reads", """{"command":"ls ${{inputs.data}}","inputs":{"data":{"type":"uri_folder"}},"outputs":{"data":{"type":"uri_folder"}}}""");
    }

    private static string Broken(string goOn) => """
        {"settings":{"continue_on_step_failure":GO},
         "jobs":{"bad":{"type":"command","componentId":"@fail_bad"},
                 "needs":{"type":"command","componentId":"@fail_reads","inputs":{"data":{"value":"${{parent.jobs.bad.outputs.data}}"}}},
                 "last":{"type":"command","componentId":"@fail_reads","inputs":{"data":{"value":"${{parent.jobs.needs.outputs.data}}"}}},
                 "other":{"type":"command","componentId":"@fail_ok"},
                 "then":{"type":"command","componentId":"@fail_reads","inputs":{"data":{"value":"${{parent.jobs.other.outputs.data}}"}}}}}
        """.Replace("GO", goOn, StringComparison.Ordinal);

    private Task<string> ReadAsync(string uri) => pipelines.ReadAsync(uri);
}
