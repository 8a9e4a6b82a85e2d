using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Pipelines that decide and repeat, really run: <c>if_else</c>, <c>do_while</c>, <c>parallel_for</c>.</summary>
public sealed class ControlFlowTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task Of_two_branches_the_one_that_the_condition_chooses_runs()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("branch", """
            {"jobs":{"test":{"type":"command","componentId":"@cf_less","inputs":{"a":{"value":"3"},"b":{"value":"5"}}},
                     "check":{"type":"if_else","condition":"${{parent.jobs.test.outputs.less}}","true_block":"${{parent.jobs.yes}}","false_block":["${{parent.jobs.no}}","${{parent.jobs.also}}"]},
                     "yes":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"taken"}}},
                     "then":{"type":"command","componentId":"@cf_copy","inputs":{"file":{"value":"${{parent.jobs.yes.outputs.said}}"}}},
                     "no":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"not taken"}}},
                     "also":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"not taken"}}},
                     "after_no":{"type":"command","componentId":"@cf_copy","inputs":{"file":{"value":"${{parent.jobs.no.outputs.said}}"}}}}}
            """)).Ok();
        var log = await CompletedAsync("branch");
        Assert.Equivalent(
            Steps(("test", "Completed"), ("check", "Completed"), ("yes", "Completed"), ("then", "Completed"), ("no", "Canceled"), ("also", "Canceled"), ("after_no", "Canceled")),
            await pipelines.StepsAsync("branch"));
        Assert.Equal("taken\n", await pipelines.ReadAsync("azureml://jobs/branch_then/outputs/copy"));
        var skipped = (await Arm.GetAsync("~/jobs/branch_after_no")).Ok()["properties"]!["properties"]!;
        Assert.Equal("BranchNotTaken", skipped["zaffre.error.code"]!.ToString());
        Assert.Contains("test: completed", log, StringComparison.Ordinal);
        Assert.Contains("less = True", log, StringComparison.Ordinal);
        Assert.Contains("check: the condition is true", log, StringComparison.Ordinal);
        Assert.Equal("UriFile", (await Arm.PostAsync($"/history/v1.0{Arm.Main.Id}/rundata", """{"runId":"branch_test"}""")).Ok().At("runMetadata.outputs.less.type"));
    }

    [Theory]
    [InlineData("by-input", """ "${{parent.inputs.flag}}" """, "false", "Canceled", "Completed")]
    [InlineData("by-value", "true", "false", "Completed", "Canceled")]
    [InlineData("by-text", "\"True\"", "false", "Completed", "Canceled")]
    public async Task A_condition_may_be_an_input_of_the_pipeline_or_a_value(string name, string condition, string flag, string yes, string no)
    {
        await ComponentsAsync();
        (await pipelines.PutAsync(name, """
            {"inputs":{"flag":{"jobInputType":"literal","value":"FLAG"}},
             "jobs":{"check":{"type":"if_else","condition":CONDITION,"true_block":"${{parent.jobs.yes}}","false_block":"${{parent.jobs.no}}"},
                     "yes":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"y"}}},
                     "no":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"n"}}}}}
            """.Replace("FLAG", flag, StringComparison.Ordinal).Replace("CONDITION", condition, StringComparison.Ordinal))).Ok();
        await CompletedAsync(name);
        Assert.Equivalent(Steps(("check", "Completed"), ("yes", yes), ("no", no)), await pipelines.StepsAsync(name));
    }

    [Fact]
    public async Task A_pipeline_in_which_nothing_is_left_to_run_completes()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("idle", """
            {"jobs":{"check":{"type":"if_else","condition":false,"true_block":"${{parent.jobs.yes}}"},"yes":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"y"}}}}}
            """)).Ok();
        await CompletedAsync("idle");
        Assert.Equivalent(Steps(("check", "Completed"), ("yes", "Canceled")), await pipelines.StepsAsync("idle"));
    }

    [Fact]
    public async Task Values_flow_from_step_to_step_and_what_does_not_fit_fails_before_it_starts()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("values", """
            {"settings":{"continue_on_step_failure":true},
             "jobs":{"first":{"type":"command","componentId":"@cf_next","inputs":{"number":{"value":"4"}}},
                     "second":{"type":"command","componentId":"@cf_next","inputs":{"number":{"value":"${{parent.jobs.first.outputs.next}}"}}},
                     "small":{"type":"command","componentId":"@cf_small","inputs":{"number":{"value":"${{parent.jobs.second.outputs.next}}"}}},
                     "junk":{"type":"command","componentId":"@cf_junk"},
                     "silent":{"type":"command","componentId":"@cf_silent"}}}
            """)).Ok();
        var (job, log) = await Jobs.EndAsync("values");
        Assert.Equal("Failed", job.At("properties.status"));
        Assert.Equivalent(Steps(("first", "Completed"), ("second", "Completed"), ("small", "Failed"), ("junk", "Failed"), ("silent", "Failed")), await pipelines.StepsAsync("values"));
        Assert.Equal("5", (await Arm.GetAsync("~/jobs/values_second")).Ok().At("properties.inputs.number.value"));
        Assert.Contains("second: completed", log, StringComparison.Ordinal);
        Assert.Contains("next = 6", log, StringComparison.Ordinal);
        Assert.Contains("'6' is not between", Error(await Arm.GetAsync("~/jobs/values_small")), StringComparison.Ordinal);
        Assert.Contains("'maybe' is no boolean", Error(await Arm.GetAsync("~/jobs/values_junk")), StringComparison.Ordinal);
        Assert.Contains("did not write the output 'flag'", Error(await Arm.GetAsync("~/jobs/values_silent")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_may_tell_a_value_to_its_run_as_Azures_clients_do()
    {
        await ComponentsAsync();
        await pipelines.ComponentAsync("cf_waits", """{"command":"until [ -e ${{outputs.dir}}/go ]; do sleep 0.05; done","outputs":{"dir":{"type":"uri_folder"}}}""");
        await pipelines.ComponentAsync("cf_tells", """{"command":"ls ${{inputs.dir}}","inputs":{"dir":{"type":"uri_folder"}},"outputs":{"flag":{"type":"boolean"},"count":{"type":"integer"}}}""");
        (await pipelines.PutAsync("told", """
            {"jobs":{"first":{"type":"command","componentId":"@cf_waits"},
                     "tells":{"type":"command","componentId":"@cf_tells","inputs":{"dir":{"value":"${{parent.jobs.first.outputs.dir}}"}}},
                     "check":{"type":"if_else","condition":"${{parent.jobs.tells.outputs.flag}}","false_block":"${{parent.jobs.next}}"},
                     "next":{"type":"command","componentId":"@cf_next","inputs":{"number":{"value":"${{parent.jobs.tells.outputs.count}}"}}}}}
            """)).Ok();
        var experiment = (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/told_tells")).Ok().At("experimentId");
        (await Arm.SendAsync(HttpMethod.Patch, $"/zaffre/v1{Arm.Main.Id}/experimentids/{experiment}/runs/told_tells", """{"runId":"told_tells","properties":{"azureml.pipeline.control":"{\"flag\": false}"}}""")).Ok();
        var patched = (await Arm.SendAsync(HttpMethod.Patch, $"/history/v1.0{Arm.Main.Id}/experiments/Default/runs/told_tells", """{"properties":{"azureml.pipeline.control.count":"41"}}""")).Ok();
        Assert.Equal(2, patched["properties"]!.AsObject().Count);
        await pipelines.WriteAsync("azureml://datastores/workspaceblobstore/paths/azureml/told_first/dir/go", "");
        await CompletedAsync("told");
        Assert.Equal("42\n", await pipelines.ReadAsync("azureml://jobs/told_next/outputs/next"));
        Assert.Equal("41", await pipelines.ReadAsync("azureml://jobs/told_tells/outputs/count"));
    }

    [Fact]
    public async Task A_loop_repeats_its_body_while_the_condition_is_true_and_feeds_it_what_it_made()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("loop", """
            {"inputs":{"start":{"jobInputType":"literal","value":"1"}},"outputs":{"history":{"jobOutputType":"uri_folder","assetName":"loop-history"}},
             "jobs":{"count":{"type":"command","componentId":"@cf_count","inputs":{"number":{"value":"${{parent.inputs.start}}"},"limit":{"value":"4"}},"outputs":{"history":{"value":"${{parent.outputs.history}}","type":"literal"}}},
                     "again":{"type":"do_while","body":"${{parent.jobs.count}}","condition":"more","mapping":{"next":["number"],"history":"before"},"limits":{"max_iteration_count":10},"_source":"DSL"},
                     "show":{"type":"command","componentId":"@cf_show","inputs":{"folder":{"value":"${{parent.jobs.count.outputs.history}}"},"number":{"value":"${{parent.jobs.again.outputs.next}}"}}}}}
            """)).Ok();
        var log = await CompletedAsync("loop");
        Assert.Equivalent(Steps(("again", "Completed"), ("show", "Completed")), await pipelines.StepsAsync("loop"));
        Assert.Equivalent(Steps(("count 1", "Completed"), ("count 2", "Completed"), ("count 3", "Completed")), await pipelines.StepsAsync("loop_again"));
        Assert.Equal("1\n2\n3\n", await pipelines.ReadAsync("azureml://jobs/loop/outputs/history/paths/all.txt"));
        Assert.Equal("1\n2\n3\n", await pipelines.ReadAsync((await Arm.GetAsync("~/data/loop-history/versions/1")).Ok().At("properties.dataUri")!.TrimEnd('/') + "/all.txt"));
        Assert.Equal("1\n2\n3\n4\n", await pipelines.ReadAsync("azureml://jobs/loop_show/outputs/shown"));
        Assert.Equal("1\n", await pipelines.ReadAsync("azureml://jobs/loop_again_1/outputs/history/paths/all.txt"));
        Assert.Contains("again: running as the loop loop_again", log, StringComparison.Ordinal);
        Assert.Equal("loop", (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/loop_again_2")).Ok().At("rootRunId"));
        Assert.Equal(HttpStatusCode.OK, (await Arm.DeleteAsync("~/jobs/loop")).Status);
        (await Arm.GetAsync("~/jobs/loop_again_2")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_loop_ends_at_its_limit_with_or_without_a_condition()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("bounded", """
            {"jobs":{"count":{"type":"command","componentId":"@cf_count","inputs":{"number":{"value":"1"},"limit":{"value":"100"}}},
                     "again":{"type":"do_while","body":"${{parent.jobs.count}}","condition":"${{parent.jobs.count.outputs.more}}","mapping":{"${{parent.jobs.count.outputs.next}}":"${{parent.jobs.count.inputs.number}}"},"limits":{"max_iteration_count":2}},
                     "same":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"x"}}},
                     "always":{"type":"do_while","body":"${{parent.jobs.same}}","mapping":{},"limits":{"max_iteration_count":3}}}}
            """)).Ok();
        await CompletedAsync("bounded");
        Assert.Equal(2, (await pipelines.StepsAsync("bounded_again")).Count);
        Assert.Equal(3, (await pipelines.StepsAsync("bounded_always")).Count);
    }

    [Fact]
    public async Task A_loop_whose_condition_nobody_wrote_fails_and_says_so()
    {
        await ComponentsAsync();
        await pipelines.ComponentAsync("cf_mute", $$$$"""
            {"type":"pipeline","outputs":{"more":{"type":"boolean"}},
             "jobs":{"never":{"type":"if_else","condition":false,"true_block":"${{parent.jobs.test}}"},
                     "test":{"type":"command","componentId":"{{{{Arm.Main.Id}}}}/components/cf_less/versions/1","inputs":{"a":"1","b":"2"},"outputs":{"less":"${{parent.outputs.more}}"}} } }
            """);
        (await pipelines.PutAsync("mute", """
            {"jobs":{"body":{"type":"pipeline","componentId":"@cf_mute"},"again":{"type":"do_while","body":"${{parent.jobs.body}}","condition":"more","mapping":{},"limits":{"max_iteration_count":3}}}}
            """)).Ok();
        var (job, _) = await Jobs.EndAsync("mute");
        Assert.Equal("Failed", job.At("properties.status"));
        Assert.Contains("the iteration mute_again_1 wrote no value for the condition 'more'", Error(await Arm.GetAsync("~/jobs/mute_again")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_iteration_ends_its_loop_and_what_needs_it()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("breaks", """
            {"jobs":{"body":{"type":"command","componentId":"@cf_break","inputs":{"number":{"value":"1"}}},
                     "again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{"next":"number"},"limits":{"max_iteration_count":9}},
                     "needs":{"type":"command","componentId":"@cf_next","inputs":{"number":{"value":"${{parent.jobs.body.outputs.next}}"}}},
                     "other":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"x"}}}}}
            """)).Ok();
        var (job, _) = await Jobs.EndAsync("breaks");
        Assert.Equal("Failed", job.At("properties.status"));
        Assert.Equivalent(Steps(("again", "Failed"), ("needs", "Canceled"), ("other", "Completed")), await pipelines.StepsAsync("breaks"));
        Assert.Equivalent(Steps(("body 1", "Completed"), ("body 2", "Completed"), ("body 3", "Failed")), await pipelines.StepsAsync("breaks_again"));
    }

    [Fact]
    public async Task Loops_nest_and_their_bodies_are_pipelines_with_branches()
    {
        await ComponentsAsync();
        var at = Arm.Main.Id + "/components";
        await pipelines.ComponentAsync("cf_inner", $$$$"""
            {"type":"pipeline","inputs":{"number":{"type":"integer"},"limit":{"type":"integer"}},"outputs":{"next":{"type":"integer","is_control":true},"more":{"type":"boolean","is_control":true},"history":{"type":"uri_folder"}},
             "jobs":{"count":{"type":"command","componentId":"{{{{at}}}}/cf_count/versions/1","inputs":{"number":"${{parent.inputs.number}}","limit":"${{parent.inputs.limit}}"},
                              "outputs":{"next":"${{parent.outputs.next}}","more":"${{parent.outputs.more}}","history":"${{parent.outputs.history}}"}},
                     "check":{"type":"if_else","condition":"${{parent.jobs.count.outputs.more}}","false_block":"${{parent.jobs.last}}"},
                     "last":{"type":"command","componentId":"{{{{at}}}}/cf_say/versions/1","inputs":{"text":{"value":"last"}}} } }
            """);
        await pipelines.ComponentAsync("cf_outer", $$$$"""
            {"type":"pipeline","inputs":{"number":{"type":"integer"},"limit":{"type":"integer","default":3}},"outputs":{"next":{"type":"integer"},"more":{"type":"boolean"},"history":{"type":"uri_folder"}},
             "jobs":{"body":{"type":"pipeline","componentId":"{{{{at}}}}/cf_inner/versions/1","inputs":{"number":"${{parent.inputs.number}}","limit":"${{parent.inputs.limit}}"},"outputs":{"next":"${{parent.outputs.next}}","history":"${{parent.outputs.history}}"}},
                     "again":{"type":"do_while","body":"${{parent.jobs.body}}","condition":"more","mapping":{"next":"number"},"limits":{"max_iteration_count":10}},
                     "few":{"type":"command","componentId":"{{{{at}}}}/cf_less/versions/1","inputs":{"a":"${{parent.jobs.body.outputs.next}}","b":"5"},"outputs":{"less":"${{parent.outputs.more}}"}} } }
            """);
        (await pipelines.PutAsync("nested", """
            {"outputs":{"history":{"jobOutputType":"uri_folder"}},
             "jobs":{"outer":{"type":"pipeline","componentId":"@cf_outer","inputs":{"number":{"value":"1"}},"outputs":{"history":{"value":"${{parent.outputs.history}}"}}},
                     "again":{"type":"do_while","body":"${{parent.jobs.outer}}","condition":"more","mapping":{"next":"number"},"limits":{"max_iteration_count":10}}}}
            """)).Ok();
        await CompletedAsync("nested");
        Assert.Equal(["outer 1", "outer 2", "outer 3"], (await pipelines.StepsAsync("nested_again")).Keys);
        Assert.Equal(["body 1", "body 2"], (await pipelines.StepsAsync("nested_again_1_again")).Keys);
        Assert.Equal(["body 1"], (await pipelines.StepsAsync("nested_again_2_again")).Keys);
        Assert.Equivalent(Steps(("count", "Completed"), ("check", "Completed"), ("last", "Canceled")), await pipelines.StepsAsync("nested_again_1_again_1"));
        Assert.Equivalent(Steps(("count", "Completed"), ("check", "Completed"), ("last", "Completed")), await pipelines.StepsAsync("nested_again_3_again_1"));
        Assert.Equal("4\n", await pipelines.ReadAsync("azureml://jobs/nested/outputs/history/paths/all.txt"));
    }

    [Fact]
    public async Task A_parallel_loop_runs_its_body_for_each_item_and_collects_what_they_write()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("spread", """
            {"inputs":{"prefix":{"jobInputType":"literal","value":"p"}},"outputs":{"table":{"jobOutputType":"mltable"}},
             "jobs":{"body":{"type":"command","componentId":"@cf_item","inputs":{"prefix":{"value":"${{parent.inputs.prefix}}"}}},
                     "each":{"type":"parallel_for","body":"${{parent.jobs.body}}","items":"[{\"word\": \"a\", \"number\": 1}, {\"word\": \"${{parent.inputs.prefix}}\", \"number\": 2}, {\"word\": \"c\", \"number\": 3}]","max_concurrency":2,
                             "outputs":{"file":{"value":"${{parent.outputs.table}}","type":"literal"}}},
                     "join":{"type":"command","componentId":"@cf_join","inputs":{"table":{"value":"${{parent.jobs.each.outputs.folder}}"},"list":{"value":"${{parent.jobs.each.outputs.twice}}"}}}}}
            """)).Ok();
        await CompletedAsync("spread");
        Assert.Equivalent(Steps(("each", "Completed"), ("join", "Completed")), await pipelines.StepsAsync("spread"));
        Assert.Equivalent(Steps(("body 1", "Completed"), ("body 2", "Completed"), ("body 3", "Completed")), await pipelines.StepsAsync("spread_each"));
        Assert.Equal("p p 2\n", await pipelines.ReadAsync("azureml://jobs/spread_each_2/outputs/file"));
        var table = await pipelines.ReadAsync("azureml://jobs/spread/outputs/table/paths/MLTable");
        Assert.StartsWith("type: mltable\npaths:\n  - file: azureml://subscriptions/", table, StringComparison.Ordinal);
        Assert.Equal(3, table.Split("  - file: ").Length - 1);
        Assert.Equal("[2,4,6]\n3\n", await pipelines.ReadAsync("azureml://jobs/spread_join/outputs/joined"));
    }

    [Fact]
    public async Task Items_may_be_data()
    {
        await ComponentsAsync();
        await pipelines.WriteAsync("azureml://datastores/workspaceblobstore/paths/items/a.txt", "A");
        await pipelines.WriteAsync("azureml://datastores/workspaceblobstore/paths/items/b.txt", "B");
        (await pipelines.PutAsync("dataitems", """
            {"jobs":{"body":{"type":"command","componentId":"@cf_copy"},
                     "each":{"type":"parallel_for","body":"${{parent.jobs.body}}","items":{"a":{"file":{"job_input_type":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/items/a.txt"}},
                                                                                          "b":{"file":{"job_input_type":"uri_file","uri":"azureml://datastores/workspaceblobstore/paths/items/b.txt","mode":"Download"}}}}}}
            """)).Ok();
        await CompletedAsync("dataitems");
        Assert.Equal("AB", await pipelines.ReadAsync("azureml://jobs/dataitems_each_1/outputs/copy") + await pipelines.ReadAsync("azureml://jobs/dataitems_each_2/outputs/copy"));
        Assert.Equal("Download", (await Arm.GetAsync("~/jobs/dataitems_each_2")).Ok().At("properties.inputs.file.mode"));
    }

    [Fact]
    public async Task Items_may_come_from_a_step_and_are_checked_before_an_iteration_starts()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("made", """
            {"jobs":{"make":{"type":"command","componentId":"@cf_items"},
                     "body":{"type":"command","componentId":"@cf_next"},
                     "each":{"type":"parallel_for","body":"${{parent.jobs.body}}","items":"${{parent.jobs.make.outputs.items}}"}}}
            """)).Ok();
        await CompletedAsync("made");
        Assert.Equal(["body 1", "body 2"], (await pipelines.StepsAsync("made_each")).Keys);
        Assert.Equal("8", (await Arm.GetAsync("~/jobs/made_each_2")).Ok().At("properties.inputs.number.value"));
        (await pipelines.PutAsync("madebad", """
            {"jobs":{"make":{"type":"command","componentId":"@cf_items"},
                     "body":{"type":"command","componentId":"@cf_small"},
                     "each":{"type":"parallel_for","body":"${{parent.jobs.body}}","items":"${{parent.jobs.make.outputs.items}}"}}}
            """)).Ok();
        Assert.Equal("Failed", (await Jobs.EndAsync("madebad")).Job.At("properties.status"));
        Assert.Contains("items[1].number: '8' is not between", Error(await Arm.GetAsync("~/jobs/madebad_each")), StringComparison.Ordinal);
        Assert.Empty(await pipelines.StepsAsync("madebad_each"));
    }

    [Fact]
    public async Task Of_a_parallel_loop_one_failed_item_fails_the_loop_and_the_others_run()
    {
        await ComponentsAsync();
        const string document = """
            {"settings":{"continue_on_step_failure":true},
             "jobs":{"body":{"type":"command","componentId":"@cf_break"},
                     "each":{"type":"parallel_for","body":"${{parent.jobs.body}}","max_concurrency":1,"items":{"one":{"number":3},"two":{"number":1},"three":{"number":2}}}}}
            """;
        (await pipelines.PutAsync("oneoff", document)).Ok();
        Assert.Equal("Failed", (await Jobs.EndAsync("oneoff")).Job.At("properties.status"));
        Assert.Equivalent(Steps(("body 1", "Failed"), ("body 2", "Completed"), ("body 3", "Completed")), await pipelines.StepsAsync("oneoff_each"));
        (await pipelines.PutAsync("strictoff", document.Replace("\"continue_on_step_failure\":true", "\"continue_on_step_failure\":false", StringComparison.Ordinal))).Ok();
        Assert.Equal("Failed", (await Jobs.EndAsync("strictoff")).Job.At("properties.status"));
        Assert.Equivalent(Steps(("body 1", "Failed")), await pipelines.StepsAsync("strictoff_each"));
    }

    [Fact]
    public async Task Canceling_ends_loops_and_begins_no_iteration_more()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("stoploop", """
            {"jobs":{"body":{"type":"command","componentId":"@cf_long"},
                     "again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{},"limits":{"max_iteration_count":5}},
                     "item":{"type":"command","componentId":"@cf_long"},
                     "each":{"type":"parallel_for","body":"${{parent.jobs.item}}","max_concurrency":1,"items":"[{\"number\":1},{\"number\":2}]"}}}
            """)).Ok();
        await Jobs.StatusAsync("stoploop_again_1", "Running");
        await Jobs.StatusAsync("stoploop_each_1", "Running");
        await Jobs.CancelAsync("stoploop");
        Assert.Equal("Canceled", (await Jobs.EndAsync("stoploop")).Job.At("properties.status"));
        Assert.Equivalent(Steps(("body 1", "Canceled")), await pipelines.StepsAsync("stoploop_again"));
        Assert.Equivalent(Steps(("item 1", "Canceled")), await pipelines.StepsAsync("stoploop_each"));
    }

    [Fact]
    public async Task A_canceled_loop_ends_alone()
    {
        await ComponentsAsync();
        (await pipelines.PutAsync("stopone", """
            {"jobs":{"body":{"type":"command","componentId":"@cf_long"},"again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{},"limits":{"max_iteration_count":5}},
                     "other":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"x"}}}}}
            """)).Ok();
        await Jobs.StatusAsync("stopone_again_1", "Running");
        await Jobs.CancelAsync("stopone_again");
        Assert.Equal("Failed", (await Jobs.EndAsync("stopone")).Job.At("properties.status"));
        Assert.Equivalent(Steps(("again", "Canceled"), ("other", "Completed")), await pipelines.StepsAsync("stopone"));
    }

    [Fact]
    public async Task An_iteration_takes_another_name_when_a_job_has_the_one_it_would_have()
    {
        await ComponentsAsync();
        (await Jobs.PutAsync("taken_again_2", """{"command":"true"}""")).Ok();
        await Jobs.EndAsync("taken_again_2");
        (await pipelines.PutAsync("taken", """
            {"jobs":{"same":{"type":"command","componentId":"@cf_say","inputs":{"text":{"value":"x"}}},"again":{"type":"do_while","body":"${{parent.jobs.same}}","mapping":{},"limits":{"max_iteration_count":2}}}}
            """)).Ok();
        await CompletedAsync("taken");
        Assert.Equal("same 2_2", (await Arm.GetAsync("~/jobs/taken_again_2_2")).Ok().At("properties.displayName"));
    }

    private static Dictionary<string, string> Steps(params (string Name, string Status)[] steps) => steps.ToDictionary(step => step.Name, step => step.Status, StringComparer.Ordinal);

    private static string Error((HttpStatusCode, JsonObject) answer) => answer.Ok()["properties"]!["properties"]!["zaffre.error.message"]!.ToString();

    private async Task<string> CompletedAsync(string name)
    {
        var (job, log) = await Jobs.EndAsync(name);
        Assert.Equal(("Completed", log), (job.At("properties.status"), log));
        return log;
    }

    private async Task ComponentsAsync()
    {
        await pipelines.ComponentAsync("cf_less", """{"command":"if [ ${{inputs.a}} -lt ${{inputs.b}} ]; then echo True; else echo False; fi > ${{outputs.less}}","inputs":{"a":{"type":"integer"},"b":{"type":"integer"}},"outputs":{"less":{"type":"boolean","is_control":true}}}""");
        await pipelines.ComponentAsync("cf_say", """{"command":"echo ${{inputs.text}} > ${{outputs.said}}","inputs":{"text":{"type":"string"}},"outputs":{"said":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("cf_copy", """{"command":"cat ${{inputs.file}} > ${{outputs.copy}}","inputs":{"file":{"type":"uri_file"}},"outputs":{"copy":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("cf_next", """{"command":"echo $(( ${{inputs.number}} + 1 )) > ${{outputs.next}}","inputs":{"number":{"type":"integer"}},"outputs":{"next":{"type":"integer"}}}""");
        await pipelines.ComponentAsync("cf_small", """{"command":"true","inputs":{"number":{"type":"integer","max":5}}}""");
        await pipelines.ComponentAsync("cf_junk", """{"command":"echo maybe > ${{outputs.flag}}","outputs":{"flag":{"type":"boolean"}}}""");
        await pipelines.ComponentAsync("cf_silent", """{"command":"true","outputs":{"flag":{"type":"boolean"}}}""");
        await pipelines.ComponentAsync("cf_count", """
            {"command":"for old in $[[${{inputs.before}}/all.txt]]; do cat $old; done > ${{outputs.history}}/all.txt; echo ${{inputs.number}} >> ${{outputs.history}}/all.txt; n=$(( ${{inputs.number}} + 1 )); echo $n > ${{outputs.next}}; if [ $n -lt ${{inputs.limit}} ]; then echo true; else echo false; fi > ${{outputs.more}}",
             "inputs":{"number":{"type":"integer"},"limit":{"type":"integer"},"before":{"type":"uri_folder","optional":true}},"outputs":{"next":{"type":"integer"},"more":{"type":"boolean"},"history":{"type":"uri_folder"}}}
            """);
        await pipelines.ComponentAsync("cf_show", """{"command":"cat ${{inputs.folder}}/all.txt > ${{outputs.shown}}; echo ${{inputs.number}} >> ${{outputs.shown}}","inputs":{"folder":{"type":"uri_folder"},"number":{"type":"integer"}},"outputs":{"shown":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("cf_break", """{"command":"test ${{inputs.number}} -lt 3 && echo $(( ${{inputs.number}} + 1 )) > ${{outputs.next}}","inputs":{"number":{"type":"integer"}},"outputs":{"next":{"type":"integer"}}}""");
        await pipelines.ComponentAsync("cf_item", """
            {"command":"echo ${{inputs.prefix}} ${{inputs.word}} ${{inputs.number}} > ${{outputs.file}}; cp ${{outputs.file}} ${{outputs.folder}}/x; echo $(( 2 * ${{inputs.number}} )) > ${{outputs.twice}}",
             "inputs":{"prefix":{"type":"string"},"word":{"type":"string"},"number":{"type":"integer"}},"outputs":{"file":{"type":"uri_file"},"folder":{"type":"uri_folder"},"twice":{"type":"integer"}}}
            """);
        await pipelines.ComponentAsync("cf_join", """{"command":"echo '${{inputs.list}}' > ${{outputs.joined}}; grep -c 'folder: azureml://' ${{inputs.table}}/MLTable >> ${{outputs.joined}}","inputs":{"table":{"type":"mltable"},"list":{"type":"string"}},"outputs":{"joined":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("cf_items", """{"command":"echo '[{\"number\":3},{\"number\":8}]' > ${{outputs.items}}","outputs":{"items":{"type":"string"}}}""");
        await pipelines.ComponentAsync("cf_long", """{"command":"exec sleep 600","inputs":{"number":{"type":"integer","optional":true}}}""");
    }
}
