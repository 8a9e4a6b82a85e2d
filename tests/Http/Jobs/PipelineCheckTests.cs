using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What a pipeline is refused for: everything at once, with its place, before anything runs.</summary>
public sealed class PipelineCheckTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    [Fact]
    public async Task Every_mismatch_is_reported_at_once_with_its_place_and_nothing_is_stored()
    {
        await ComponentsAsync();
        var answer = await pipelines.PutAsync("wrong", """
            {"settings":{"default_compute":"azureml:nowhere","continue_on_step_failure":"perhaps","on_init":"x"},
             "inputs":{"text":{"jobInputType":"literal","value":"t"},"file":{"jobInputType":"uri_file","uri":"azureml:none:1"}},
             "outputs":{"folder":{"jobOutputType":"uri_folder"},"nobody":{"jobOutputType":"uri_folder"},"file":{"jobOutputType":"uri_file"}},
             "jobs":{
               "values":{"type":"command","componentId":"@check_values","inputs":{"whole":{"value":"1.5"},"rate":{"value":"7"},"choice":{"value":"c"},"flag":{"value":"maybe"},"extra":{"value":"1"}}},
               "types":{"type":"command","componentId":"@check_data","inputs":{"folder":{"value":"plain"},"table":{"value":"${{parent.jobs.writes.outputs.file}}"},"number":{"value":"${{parent.jobs.writes.outputs.file}}"}}},
               "writes":{"type":"command","componentId":"@check_file","outputs":{"file":{"value":"${{parent.outputs.folder}}"},"other":{"value":"${{parent.outputs.file}}"}}},
               "again":{"type":"command","componentId":"@check_file","outputs":{"file":{"value":"${{parent.outputs.folder}}"}}},
               "unknown":{"type":"command","componentId":"@check_one","inputs":{"text":{"value":"${{parent.jobs.noone.outputs.file}}"}}},
               "undeclared":{"type":"command","componentId":"@check_one","inputs":{"text":{"value":"${{parent.jobs.writes.outputs.nothing}}"}}},
               "lost":{"type":"command","componentId":"@check_one","inputs":{"text":{"value":"${{parent.inputs.nope}}"}}},
               "part":{"type":"command","componentId":"@check_one","inputs":{"text":{"value":"a ${{parent.inputs.text}}"}}},
               "legacy":{"type":"command","componentId":"@check_one","inputs":{"text":{"value":"${{inputs.text}}"}}},
               "missing":{"type":"command","componentId":"@check_one"},
               "nocomponent":{"type":"command"},
               "absent":{"type":"command","componentId":"@no_such"},
               "sweeps":{"type":"sweep","trial":{}},
               "loops":{"type":"do_while"},
               "odd":{"type":"banana"},
               "shape":7,
               "bad.name":{"type":"command","componentId":"@check_file"},
               "broken":{"type":"command","componentId":"@check_one","inputs":{"text":{"value":"${{parent.inputs.file}}"}}},
               "wide":{"type":"command","componentId":"@check_file","resources":{"instance_count":"many"},"limits":{"job_limits_type":"Command","timeout":"soon"},"computeId":"elsewhere","environment_variables":{"1":"x"}}
             }}
            """);
        var targets = answer.Targets();
        Assert.Equal(
            [
                "properties.inputs.file.uri", "properties.jobs.absent.componentId", "properties.jobs.again.outputs.file", "properties.jobs.bad.name",
                "properties.jobs.legacy.inputs.text", "properties.jobs.loops.body", "properties.jobs.loops.limits.max_iteration_count", "properties.jobs.lost.inputs.text", "properties.jobs.missing.inputs.text",
                "properties.jobs.nocomponent.componentId", "properties.jobs.odd.type", "properties.jobs.part.inputs.text", "properties.jobs.shape",
                "properties.jobs.sweeps.type", "properties.jobs.types.inputs.folder", "properties.jobs.types.inputs.number", "properties.jobs.types.inputs.table",
                "properties.jobs.undeclared.inputs.text", "properties.jobs.unknown.inputs.text", "properties.jobs.values.inputs.choice", "properties.jobs.values.inputs.extra",
                "properties.jobs.values.inputs.flag", "properties.jobs.values.inputs.rate", "properties.jobs.values.inputs.whole",
                "properties.jobs.wide.computeId", "properties.jobs.wide.environmentVariables.1", "properties.jobs.wide.limits.timeout", "properties.jobs.wide.resources.instanceCount",
                "properties.jobs.writes.outputs.file", "properties.jobs.writes.outputs.other",
                "properties.settings.continue_on_step_failure", "properties.settings.default_compute", "properties.settings.on_init",
            ],
            targets.Order(StringComparer.Ordinal).Distinct());
        (await pipelines.Arm.GetAsync("~/jobs/wrong")).Fails(HttpStatusCode.NotFound);
        (await pipelines.Arm.GetAsync("~/jobs/wrong_values")).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Circles_are_named_with_their_way()
    {
        await ComponentsAsync();
        var answer = await pipelines.PutAsync("circle", """
            {"jobs":{"a":{"type":"command","componentId":"@check_copy","inputs":{"file":{"value":"${{parent.jobs.c.outputs.file}}"}}},
                     "b":{"type":"command","componentId":"@check_copy","inputs":{"file":{"value":"${{parent.jobs.a.outputs.file}}"}}},
                     "c":{"type":"command","componentId":"@check_copy","inputs":{"file":{"value":"${{parent.jobs.b.outputs.file}}"}}},
                     "self":{"type":"command","componentId":"@check_copy","inputs":{"file":{"value":"${{parent.jobs.self.outputs.file}}"}}},
                     "behind":{"type":"command","componentId":"@check_copy","inputs":{"file":{"value":"${{parent.jobs.c.outputs.file}}"}}}}}
            """);
        var messages = Messages(answer.Body);
        Assert.Equal(2, messages.Length);
        Assert.Contains(messages, message => message.Contains("b -> c -> a -> b", StringComparison.Ordinal) || message.Contains("a -> b -> c -> a", StringComparison.Ordinal) || message.Contains("c -> a -> b -> c", StringComparison.Ordinal));
        Assert.Contains(messages, message => message.Contains("self -> self", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pipeline_output_that_no_step_writes_is_refused()
    {
        await ComponentsAsync();
        var answer = await pipelines.PutAsync("unwritten", """{"outputs":{"o":{"jobOutputType":"uri_file"}},"jobs":{"a":{"type":"command","componentId":"@check_file"}}}""");
        Assert.Equal(["properties.outputs.o"], answer.Targets());
    }

    [Theory]
    [InlineData("""{}""", "properties.jobs")]
    [InlineData("""{"jobs":[]}""", "properties.jobs")]
    [InlineData("""{"sourceJobId":"azureml:x","jobs":{}}""", "properties.sourceJobId")]
    [InlineData("""{"jobs":{"a":{"type":"command","componentId":"@check_file"}},"services":{"x":{"jobServiceType":"SSH"}}}""", "properties.services.x")]
    [InlineData("""{"componentId":"@check_file"}""", "properties.componentId")]
    [InlineData("""{"jobs":{"a":{"type":"command","componentId":"azureml://registries/r/components/c/versions/1"}}}""", "properties.jobs.a.componentId")]
    public async Task What_is_no_pipeline_is_refused_where_it_is_wrong(string properties, string target)
    {
        await ComponentsAsync();
        Assert.Contains(target, (await pipelines.PutAsync("refused", properties)).Targets());
    }

    [Fact]
    public async Task An_optional_input_without_a_value_stands_in_optional_blocks_only()
    {
        await ComponentsAsync();
        await pipelines.ComponentAsync("check_naked", """{"command":"echo ${{inputs.maybe}} $[[${{inputs.sure}}]]","inputs":{"maybe":{"type":"string","optional":true},"sure":{"type":"string"}}}""");
        var answer = await pipelines.PutAsync("naked", """{"jobs":{"a":{"type":"command","componentId":"@check_naked","inputs":{"sure":{"value":"s"}}}}}""");
        Assert.Equal(["properties.jobs.a.command", "properties.jobs.a.command"], answer.Targets());
    }

    [Fact]
    public async Task A_component_that_contains_itself_is_refused()
    {
        await ComponentsAsync();
        await pipelines.ComponentAsync("check_endless", $$$"""{"type":"pipeline","jobs":{"again":{"type":"pipeline","componentId":"{{{pipelines.Arm.Main.Id}}}/components/check_endless/versions/1"} } }""");
        var answer = await pipelines.PutAsync("endless", """{"jobs":{"a":{"type":"pipeline","componentId":"@check_endless"}}}""");
        Assert.Contains(Messages(answer.Body), message => message.Contains("nested more than", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_the_right_to_write_jobs_a_pipeline_is_forbidden()
    {
        using var reader = await host.PrincipalAsync("acdd72a7-3385-48ef-bd42-f606fba81ae7");
        using var body = new StringContent("""{"properties":{"jobType":"Pipeline","jobs":{}}}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await reader.PutAsync(new Uri($"{pipelines.Arm.Main.Id}/jobs/forbidden?api-version=2024-10-01", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private async Task ComponentsAsync()
    {
        await pipelines.ComponentAsync("check_values", """
            {"command":"true","inputs":{"whole":{"type":"integer"},"rate":{"type":"number","min":"0","max":1},"choice":{"type":"string","enum":["a","b"]},"flag":{"type":"boolean"}}}
            """);
        await pipelines.ComponentAsync("check_data", """{"command":"true","inputs":{"folder":{"type":"uri_folder"},"table":{"type":"mltable"},"number":{"type":"number"}}}""");
        await pipelines.ComponentAsync("check_file", """{"command":"true","outputs":{"file":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("check_copy", """{"command":"true","inputs":{"file":{"type":"uri_file"}},"outputs":{"file":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("check_one", """{"command":"true","inputs":{"text":{"type":"string"}}}""");
    }

    private static string[] Messages(JsonObject body) =>
        body["error"]!["details"]!.AsArray() is { Count: > 0 } details ? [.. details.Select(detail => detail!["message"]!.ToString())] : [body["error"]!["message"]!.ToString()];
}
