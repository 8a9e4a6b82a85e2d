using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What public samples of pipelines write, and specifications do not dwell on.</summary>
public sealed class SampleLanguageTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    [Fact]
    public async Task What_a_step_runs_on_may_be_bound_to_inputs_of_its_pipeline_also_from_outside()
    {
        await SubmitAsync("bound-settings", new()
        {
            ["job.yml"] = """
                type: pipeline
                name: bound-settings
                inputs: { where: cpu-cluster }
                jobs:
                  outer:
                    type: pipeline
                    component: ./inner.yml
                    inputs: { where: "${{parent.inputs.where}}", nodes: 1 }
                  here:
                    command: "true"
                    compute: ${{parent.inputs.where}}
                    environment: { image: debian }
                    resources: { instance_count: "${{parent.jobs.outer.inputs.nodes}}" }
                """,
            ["inner.yml"] = """
                type: pipeline
                name: inner
                inputs: { where: { type: string }, nodes: { type: integer, default: 2 } }
                jobs:
                  deep:
                    command: "true"
                    environment: { image: debian }
                    compute: ${{parent.inputs.where}}
                    distribution: { type: pytorch, process_count_per_instance: "${{parent.inputs.nodes}}" }
                """,
        });
        foreach (var step in new[] { "bound-settings_here", "bound-settings_outer_deep" })
        {
            Assert.EndsWith("/computes/cpu-cluster", (await Arm.GetAsync("~/jobs/" + step)).Ok().At("properties.computeId"), StringComparison.Ordinal);
        }

        Assert.Equal("1", (await Arm.GetAsync("~/jobs/bound-settings_outer_deep")).Ok().At("properties.distribution.processCountPerInstance"));
        Assert.Equal("Completed", (await pipelines.Jobs.EndAsync("bound-settings")).Job.At("properties.status"));
    }

    [Fact]
    public async Task A_setting_that_is_bound_to_data_a_later_value_or_nothing_is_a_mistake_at_its_place()
    {
        await pipelines.ComponentAsync("settings_value", """{"command":"echo x > ${{outputs.v}}","inputs":{"d":{"type":"uri_folder","optional":true}},"outputs":{"v":{"type":"string"}}}""");
        var answer = await pipelines.PutAsync("bound-wrong", """
            {"inputs":{"d":{"jobInputType":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/d"},"gone":{"jobInputType":"literal","value":"no-such-compute"}},
             "jobs":{"a":{"type":"command","componentId":"@settings_value","computeId":"${{parent.inputs.d}}"},
                     "b":{"type":"command","componentId":"@settings_value","computeId":"${{parent.jobs.a.outputs.v}}"},
                     "c":{"type":"command","componentId":"@settings_value","resources":{"instance_count":"${{parent.inputs.none}}"}},
                     "e":{"type":"command","componentId":"@settings_value","computeId":"${{parent.inputs.gone}}"}}}
            """);
        Assert.Equal(
            ["properties.jobs.a.computeId", "properties.jobs.b.computeId", "properties.jobs.c.resources.instance_count", "properties.jobs.e.computeId"],
            answer.Targets().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_output_of_a_component_that_a_step_names_without_a_word_about_it_is_left_to_the_component()
    {
        var resolved = await SubmitAsync("silent-outputs", new()
        {
            ["job.yml"] = """
                type: pipeline
                name: silent-outputs
                settings: { default_compute: azureml:serverless }
                jobs:
                  first: { component: ./make.yml, outputs: { out: } }
                  second:
                    component: ./make.yml
                    inputs: { from: "${{parent.jobs.first.outputs.out}}" }
                    outputs:
                      out:
                """,
            ["make.yml"] = """
                type: command
                name: make
                inputs: { from: { type: uri_folder, optional: true } }
                outputs: { out: { type: uri_folder } }
                environment: { image: python }
                command: touch ${{outputs.out}}/f$[[ && ls ${{inputs.from}}]]
                """,
        });
        Assert.NotNull(resolved);
        Assert.Equal("Completed", (await pipelines.Jobs.EndAsync("silent-outputs")).Job.At("properties.status"));
        Assert.Equal("f\n", (await pipelines.Jobs.EndAsync("silent-outputs_second")).Log);
    }

    [Fact]
    public async Task Values_are_the_words_of_the_clients_and_an_input_with_a_type_of_a_value_is_told_how_to_write_it()
    {
        await SubmitAsync("client-words", new()
        {
            ["job.yml"] = """
                type: pipeline
                name: client-words
                inputs: { flag: yes, rate: 0.50 }
                jobs:
                  say:
                    component: ./say.yml
                    inputs: { flag: "${{parent.inputs.flag}}", rate: "${{parent.inputs.rate}}", quoted: "0.50" }
                """,
            ["say.yml"] = """
                type: command
                name: say
                inputs:
                  flag: { type: boolean }
                  rate: { type: number, min: 0, max: 1 }
                  quoted: { type: string }
                  kind: { type: string, default: false, enum: ['True', 'False'] }
                environment: { image: python }
                command: echo ${{inputs.flag}} ${{inputs.rate}} ${{inputs.quoted}} ${{inputs.kind}}
                """,
        });
        await pipelines.Jobs.EndAsync("client-words");
        Assert.Equal("True 0.5 0.50 False\n", (await pipelines.Jobs.EndAsync("client-words_say")).Log);

        var wrong = await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/yaml:resolve", new JsonObject
        {
            ["kind"] = "job",
            ["file"] = "job.yml",
            ["files"] = new JsonObject { ["job.yml"] = "command: echo\nenvironment: { image: python }\ninputs:\n  x: { type: integer, value: 3 }\n  y: { type: number, default: 2 }\n" },
        }.ToJsonString());
        Assert.Equal(["job.yml:4:14 inputs.x.type", "job.yml:5:14 inputs.y.type"], wrong.Targets());
        Assert.Contains("write its value alone", wrong.Body.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_is_evaluated_is_the_files_that_it_stands_for_from_several_folders()
    {
        const string store = "azureml://datastores/workspaceblobstore/paths/";
        await pipelines.WriteAsync(store + "eval/table/MLTable", """
            paths:
              - file: ./a.csv
              - pattern: ./deep/**/*.txt
              - folder: azureml://datastores/workspaceblobstore/paths/eval/elsewhere
            transformations:
              - read_delimited: { delimiter: "," }
            """);
        foreach (var (file, text) in new[] { ("table/a.csv", "one\n"), ("table/not.csv", "no\n"), ("table/deep/x/b.txt", "two\n"), ("table/deep/c.bin", "no\n"), ("elsewhere/d/e.txt", "three\n") })
        {
            await pipelines.WriteAsync($"{store}eval/{file}", text);
        }

        foreach (var (mode, change) in new[] { ("EvalMount", "touch ${{inputs.t}}/new && exit 9"), ("EvalDownload", "touch ${{inputs.t}}/new || exit 9; rm ${{inputs.t}}/new") })
        {
            var name = "eval-" + mode;
            (await pipelines.Jobs.PutAsync(name, $$$"""
                {"command":"cd ${{inputs.t}} && find . -type f | cut -d/ -f4- | sort && find . -type f | sort | xargs cat; {{{change}}}; true","inputs":{"t":{"jobInputType":"mltable","uri":"{{{store}}}eval/table","mode":"{{{mode}}}"}},
                 "identity":{"identityType":"UserIdentity"}}
                """)).Ok();
            var (job, log) = await pipelines.Jobs.EndAsync(name);
            Assert.Equal(("Completed", mode, "UserIdentity"), (job.At("properties.status"), job.At("properties.inputs.t.mode"), job.At("properties.identity.identityType")));
            Assert.StartsWith("eval/elsewhere/d/e.txt\neval/table/a.csv\neval/table/deep/x/b.txt\nthree\none\ntwo\n", log, StringComparison.Ordinal);
        }

        // What was evaluated is a copy: the source is as it was.
        Assert.Equal("one\n", await pipelines.ReadAsync(store + "eval/table/a.csv"));
        foreach (var (name, table, said) in new[] { ("eval-take", "paths: [ { file: ./a.csv } ]\ntransformations: [ { take: 3 } ]\n", "take"), ("eval-gone", "paths: [ { file: ./gone.csv } ]\n", "gone.csv"), ("eval-out", "paths: [ { folder: ../elsewhere } ]\n", "leads out") })
        {
            await pipelines.WriteAsync($"{store}{name}/MLTable", table);
            (await pipelines.Jobs.PutAsync(name, $$$"""{"command":"true","inputs":{"t":{"jobInputType":"mltable","uri":"{{{store}}}{{{name}}}","mode":"EvalMount"} } }""")).Ok();
            var (failed, _) = await pipelines.Jobs.EndAsync(name);
            Assert.Equal("Failed", failed.At("properties.status"));
            Assert.Contains(said, failed["properties"]!["properties"]!["zaffre.error.message"]!.ToString(), StringComparison.Ordinal);
        }
    }

    private async Task<JsonObject> SubmitAsync(string name, Dictionary<string, string> files)
    {
        var resolved = (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/yaml:resolve", new JsonObject
        {
            ["kind"] = "job",
            ["file"] = "job.yml",
            ["files"] = new JsonObject(files.Select(file => KeyValuePair.Create(file.Key, (JsonNode?)file.Value))),
        }.ToJsonString())).Ok();
        Assert.True(resolved["requests"] is JsonArray, resolved.ToJsonString());
        foreach (var request in resolved["requests"]!.AsArray())
        {
            var answer = await Arm.PutAsync(request!["path"]!.ToString().Split('?')[0], request["body"]!.ToJsonString());
            Assert.True((int)answer.Status < 300, answer.Body.ToJsonString());
        }

        Assert.EndsWith("/jobs/" + name, resolved["id"]!.ToString(), StringComparison.Ordinal);
        return resolved;
    }
}
