using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Plans of pipelines that decide and repeat: followed as far as it is known, and no further.</summary>
public sealed class PlanControlFlowTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Yaml = """
        type: pipeline
        experiment_name: plan-control
        inputs: {flag: "true"}
        jobs:
          count:
            component: ./count.yml
            inputs: {number: 1}
          again:
            type: do_while
            body: ${{parent.jobs.count}}
            condition: ${{parent.jobs.count.outputs.more}}
            mapping: {"${{parent.jobs.count.outputs.next}}": "${{parent.jobs.count.inputs.number}}"}
            limits: {max_iteration_count: 5}
          show:
            command: echo ${{inputs.number}} > ${{outputs.text}}
            environment: {image: debian}
            inputs: {number: "${{parent.jobs.count.outputs.next}}"}
            outputs: {text: {type: uri_file}}
          flag:
            command: echo ${{inputs.flag}} > ${{outputs.value}}
            environment: {image: debian}
            inputs: {flag: "${{parent.inputs.flag}}"}
            outputs: {value: {type: boolean, is_control: true}}
          choose:
            type: if_else
            condition: ${{parent.jobs.flag.outputs.value}}
            true_block: ["${{parent.jobs.each}}"]
            false_block: ${{parent.jobs.never}}
          word:
            component: ./word.yml
          each:
            type: parallel_for
            body: ${{parent.jobs.word}}
            items: [{word: a}, {word: b}]
          never:
            component: ./word.yml
            inputs: {word: x}
          list:
            command: echo '[{"word":"c"},{"word":"d"}]' > ${{outputs.items}}
            environment: {image: debian}
            outputs: {items: {type: string, is_control: true}}
          other:
            component: ./word.yml
          spread:
            type: parallel_for
            body: ${{parent.jobs.other}}
            items: ${{parent.jobs.list.outputs.items}}
        """;

    private readonly PlanClient client = new(host);

    [Fact]
    public async Task Conditions_and_loops_are_followed_as_far_as_their_values_are_known()
    {
        client.Files["count.yml"] = """
            type: command
            environment: {image: debian}
            inputs: {number: {type: integer}}
            outputs: {next: {type: integer}, more: {type: boolean, is_control: true}}
            command: n=$((${{inputs.number}} + 1)); echo $n > ${{outputs.next}}; if [ $n -lt 3 ]; then echo true; else echo false; fi > ${{outputs.more}}
            """;
        client.Files["word.yml"] = """
            type: command
            environment: {image: debian}
            inputs: {word: {type: string}}
            outputs: {text: {type: uri_file}}
            command: echo ${{inputs.word}} > ${{outputs.text}}
            """;
        var first = Told(await client.AgreeAsync("control-1", Yaml));
        Assert.Equal("run", first["again/iteration_1"]);
        Assert.Equal("depends again/iteration_1.outputs.more", first["again"]);
        Assert.Equal("depends again.outputs.next", first["show"]);
        Assert.Equal(("run", "depends flag.outputs.value", "depends flag.outputs.value"), (first["flag"], first["each/iteration_1"], first["never"]));
        Assert.Equal("depends list.outputs.items", first["spread"]);

        // Everything is reused: what decides is known, and so is every iteration.
        var second = Told(await client.AgreeAsync("control-2", Yaml));
        Assert.Equal(["again/iteration_1", "again/iteration_2", "each/iteration_1", "each/iteration_2", "flag", "list", "never", "show", "spread/iteration_1", "spread/iteration_2"], second.Keys.Order(StringComparer.Ordinal));
        Assert.All(second, step => Assert.Equal(step.Key == "never" ? "skip" : "reuse", step.Value));

        // A condition that is about to change says so; one whose value is known decides.
        var third = Told(await client.AgreeAsync("control-3", Yaml.Replace("flag: \"true\"", "flag: \"false\"", StringComparison.Ordinal)));
        Assert.Equal(("run", "depends flag.outputs.value", "depends flag.outputs.value", "reuse"), (third["flag"], third["never"], third["each/iteration_2"], third["show"]));
        var fourth = Told(await client.AgreeAsync("control-4", Yaml.Replace("flag: \"true\"", "flag: \"false\"", StringComparison.Ordinal)));
        Assert.Equal(("reuse", "reuse", "skip"), (fourth["flag"], fourth["never"], fourth.GetValueOrDefault("each/iteration_2") ?? fourth["each"]));
    }

    private static Dictionary<string, string> Told(IReadOnlyList<JsonObject> steps) => steps.ToDictionary(
        step => step.At("step"),
        step => step.At("decision") == "depends" ? "depends " + string.Join(',', step["dependsOn"]!.AsArray().Select(label => label!.ToString())) : step.At("decision"),
        StringComparer.Ordinal);
}
