using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What is wrong with steps that decide and repeat, found before anything runs.</summary>
public sealed class ControlFlowCheckTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    [Fact]
    public async Task Everything_wrong_with_branches_and_loops_is_reported_at_once_with_its_place()
    {
        await ComponentsAsync();
        var answer = await pipelines.PutAsync("wrong", """
            {"inputs":{"text":{"jobInputType":"literal","value":"t"},"list":{"jobInputType":"literal","value":"[]"}},
             "jobs":{
               "step":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"1"}}},
               "free":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"1"}}},
               "needs_data":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"${{parent.jobs.free.outputs.data}}"}}},
               "needs_flag":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"${{parent.jobs.free.outputs.flag}}"}}},
               "if_nothing":{"type":"if_else","condition":true},
               "if_unknown":{"type":"if_else","condition":"${{parent.jobs.nowhere.outputs.flag}}","true_block":"${{parent.jobs.absent}}"},
               "if_number":{"type":"if_else","condition":"${{parent.jobs.free.outputs.next}}","true_block":"plain"},
               "if_data":{"type":"if_else","condition":"${{parent.jobs.free.outputs.data}}","true_block":"${{parent.jobs.a}}","false_block":"${{parent.jobs.a}}"},
               "if_text":{"type":"if_else","condition":"${{parent.inputs.text}}","false_block":"${{parent.jobs.a}}"},
               "if_words":{"type":"if_else","condition":"perhaps","true_block":"${{parent.jobs.body}}"},
               "a":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"1"}}},
               "body":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"1"}}},
               "w_ports":{"type":"do_while","body":"${{parent.jobs.body}}","condition":"data","mapping":{"nothing":"number","next":["gone","number"],"data":"number"},"limits":{"max_iteration_count":1001}},
               "w_again":{"type":"do_while","body":"${{parent.jobs.body}}","condition":"${{parent.jobs.free.outputs.flag}}","mapping":{},"limits":{"max_iteration_count":"${{parent.inputs.text}}"}},
               "w_absent":{"type":"do_while","body":"${{parent.jobs.nobody}}","condition":"flag","mapping":{}},
               "w_endless":{"type":"do_while","body":"${{parent.jobs.w_endless}}","mapping":[]},
               "each":{"type":"command","componentId":"@cc_step"},
               "p_items":{"type":"parallel_for","body":"${{parent.jobs.each}}","items":"[{\"number\":\"x\"},{\"number\":1,\"other\":2},7]","max_concurrency":0},
               "each2":{"type":"command","componentId":"@cc_step"},
               "p_empty":{"type":"parallel_for","body":"${{parent.jobs.each2}}","items":"${{parent.inputs.list}}"},
               "each3":{"type":"command","componentId":"@cc_step"},
               "p_json":{"type":"parallel_for","body":"${{parent.jobs.each3}}","items":"no json"},
               "each4":{"type":"command","componentId":"@cc_step","outputs":{"data":{"job_output_type":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/x"}}},
               "p_type":{"type":"parallel_for","body":"${{parent.jobs.each4}}","items":[{"number":"nine"},{"number":"${{parent.jobs.free.outputs.flag}}"}]},
               "p_none":{"type":"parallel_for"}
             }}
            """);
        Assert.Equal(
            [
                "properties.jobs.each4.outputs.data", "properties.jobs.if_data.condition", "properties.jobs.if_data.false_block", "properties.jobs.if_nothing.true_block",
                "properties.jobs.if_number.condition", "properties.jobs.if_number.true_block", "properties.jobs.if_text.condition", "properties.jobs.if_text.false_block",
                "properties.jobs.if_unknown.condition", "properties.jobs.if_unknown.true_block", "properties.jobs.if_words.condition", "properties.jobs.if_words.true_block",
                "properties.jobs.needs_data.inputs.number", "properties.jobs.needs_flag.inputs.number",
                "properties.jobs.p_empty.items", "properties.jobs.p_items.items[1]", "properties.jobs.p_items.items[2]", "properties.jobs.p_items.max_concurrency", "properties.jobs.p_json.items",
                "properties.jobs.p_none.body", "properties.jobs.p_none.items", "properties.jobs.p_type.items[0].number", "properties.jobs.p_type.items[1].number",
                "properties.jobs.w_absent.body", "properties.jobs.w_again.body", "properties.jobs.w_again.condition", "properties.jobs.w_again.limits.max_iteration_count",
                "properties.jobs.w_endless.body", "properties.jobs.w_endless.limits.max_iteration_count", "properties.jobs.w_endless.mapping",
                "properties.jobs.w_ports.condition", "properties.jobs.w_ports.limits.max_iteration_count", "properties.jobs.w_ports.mapping.data", "properties.jobs.w_ports.mapping.next", "properties.jobs.w_ports.mapping.nothing",
            ],
            answer.Targets().Order(StringComparer.Ordinal).Distinct());
        (await pipelines.Arm.GetAsync("~/jobs/wrong")).Fails(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"body":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"${{parent.jobs.again.outputs.next}}"}}},"again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{},"limits":{"max_iteration_count":2}}}""")]
    [InlineData("""{"body":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"${{parent.jobs.body.outputs.next}}"}}},"again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{},"limits":{"max_iteration_count":2}}}""")]
    [InlineData("""{"body":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"${{parent.jobs.after.outputs.next}}"}}},"again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{},"limits":{"max_iteration_count":2}},"after":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"${{parent.jobs.body.outputs.next}}"}}}}""")]
    [InlineData("""{"check":{"type":"if_else","condition":"${{parent.jobs.a.outputs.flag}}","true_block":"${{parent.jobs.a}}"},"a":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"1"}}}}""")]
    public async Task Circles_through_loops_and_branches_are_found(string jobs)
    {
        await ComponentsAsync();
        var answer = await pipelines.PutAsync("circle", $$"""{"jobs":{{jobs}}}""");
        Assert.Contains("wait for each other in a circle", answer.Body.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_that_would_make_too_many_steps_is_refused()
    {
        await ComponentsAsync();
        var items = new JsonArray([.. Enumerable.Range(0, 1001).Select(i => (JsonNode)new JsonObject { ["number"] = i })]).ToJsonString();
        var answer = await pipelines.PutAsync("many", new JsonObject
        {
            ["jobs"] = new JsonObject
            {
                ["body"] = new JsonObject { ["type"] = "command", ["componentId"] = "@cc_step" },
                ["each"] = new JsonObject { ["type"] = "parallel_for", ["body"] = "${{parent.jobs.body}}", ["items"] = items },
            },
        }.ToJsonString());
        Assert.Equal(["properties.jobs.each.items"], answer.Targets());
    }

    [Fact]
    public async Task Names_that_grow_too_long_inside_of_loops_are_refused()
    {
        await ComponentsAsync();
        var loop = new string('l', 120);
        var answer = await pipelines.PutAsync(new string('p', 200), new JsonObject
        {
            ["jobs"] = new JsonObject
            {
                ["body"] = new JsonObject { ["type"] = "command", ["componentId"] = "@cc_step", ["inputs"] = new JsonObject { ["number"] = new JsonObject { ["value"] = "1" } } },
                [loop] = new JsonObject { ["type"] = "do_while", ["body"] = "${{parent.jobs.body}}", ["mapping"] = new JsonObject(), ["limits"] = new JsonObject { ["max_iteration_count"] = 2 } },
            },
        }.ToJsonString());
        Assert.Equal(["properties.jobs"], answer.Targets());
    }

    [Fact]
    public async Task The_output_of_a_loop_has_no_place_of_its_own()
    {
        await ComponentsAsync();
        var answer = await pipelines.PutAsync("placed", """
            {"outputs":{"data":{"jobOutputType":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/mine/"}},
             "jobs":{"body":{"type":"command","componentId":"@cc_step","inputs":{"number":{"value":"1"}},"outputs":{"data":{"value":"${{parent.outputs.data}}"}}},
                     "again":{"type":"do_while","body":"${{parent.jobs.body}}","mapping":{},"limits":{"max_iteration_count":2}}}}
            """);
        Assert.Equal("OperationNotSupported", answer.Fails(HttpStatusCode.BadRequest));
        Assert.Equal(["properties.jobs.body.outputs.data"], answer.Targets());
    }

    private Task<string> ComponentsAsync() => pipelines.ComponentAsync("cc_step", """
        {"command":"true","inputs":{"number":{"type":"integer"}},"outputs":{"next":{"type":"integer"},"flag":{"type":"boolean"},"data":{"type":"uri_folder"}}}
        """);
}
