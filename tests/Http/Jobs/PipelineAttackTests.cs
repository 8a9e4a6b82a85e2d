using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Pipelines made to exhaust the server, or to reach what is not theirs.</summary>
public sealed class PipelineAttackTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    /// <summary>Twelve components, each of ten of the next: 10^12 steps, none of which can become one.</summary>
    [Theory]
    [InlineData("broken", """{"command":"echo ${{inputs.text}}","inputs":{"text":{"type":"string"}}}""")]
    [InlineData("sound", """{"command":"true"}""")]
    [InlineData("absent", null)]
    public async Task Components_that_multiply_are_refused_before_they_grow(string kind, string? leaf)
    {
        const int levels = 12;
        if (leaf is not null)
        {
            await pipelines.ComponentAsync($"laughs_{kind}_{levels}", leaf);
        }

        for (var level = levels - 1; level >= 0; level--)
        {
            var nodes = Enumerable.Range(0, 10).Select(i => KeyValuePair.Create($"n{i}", (JsonNode?)new JsonObject
            {
                ["type"] = "command",
                ["componentId"] = $"{Arm.Main.Id}/components/laughs_{kind}_{level + 1}/versions/1",
            }));
            await pipelines.ComponentAsync($"laughs_{kind}_{level}", new JsonObject { ["type"] = "pipeline", ["jobs"] = new JsonObject(nodes) }.ToJsonString());
        }

        var answer = await pipelines.PutAsync("laughs-" + kind, $$$$$$$$$"""{"jobs":{"all":{"type":"pipeline","componentId":"@laughs_{{{{{{{{{kind}}}}}}}}}_0"}}}""");
        Assert.Contains("more than 5000 steps", Whole(answer), StringComparison.Ordinal);
        Assert.InRange(Whole(answer).Length, 1, 4 << 20);
        (await Arm.GetAsync("~/jobs/laughs-" + kind)).Fails(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Ten_thousand_nodes_are_refused_with_an_answer_of_bounded_size()
    {
        await pipelines.ComponentAsync("many_one", """{"command":"cat ${{inputs.file}}","inputs":{"file":{"type":"uri_file"}}}""");
        var component = $"{Arm.Main.Id}/components/many_one/versions/1";
        var sound = await pipelines.PutAsync("many", Many(10_000, _ => new JsonObject { ["type"] = "command", ["componentId"] = component }));
        Assert.Contains("more than 5000 steps", Whole(sound), StringComparison.Ordinal);

        // Each of them names a step that is not there, and is told which there are.
        var lost = await pipelines.PutAsync("many", Many(4_000, i => new JsonObject
        {
            ["type"] = "command",
            ["componentId"] = component,
            ["inputs"] = new JsonObject { ["file"] = new JsonObject { ["value"] = $"${{{{parent.jobs.none{i}.outputs.file}}}}" } },
        }));
        Assert.InRange(lost.Targets().Length, 500, 501);
        Assert.InRange(Whole(lost).Length, 1, 2 << 20);
        Assert.Contains("There are 3500 more problems.", Whole(lost), StringComparison.Ordinal);

        // A circle through all of them.
        var circle = await pipelines.PutAsync("many", Many(4_000, i => new JsonObject
        {
            ["type"] = "command",
            ["componentId"] = component,
            ["inputs"] = new JsonObject { ["file"] = new JsonObject { ["value"] = $"${{{{parent.jobs.step{(i + 1) % 4_000}.outputs.file}}}}" } },
        }));
        Assert.Contains("circle", Whole(circle), StringComparison.Ordinal);
        Assert.InRange(Whole(circle).Length, 1, 2 << 20);
    }

    [Fact]
    public async Task A_chain_of_steps_that_all_need_a_failed_one_ends_at_once()
    {
        await pipelines.ComponentAsync("long_first", """{"command":"exit 3","outputs":{"file":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("long_next", """{"command":"true","inputs":{"file":{"type":"uri_file"}},"outputs":{"file":{"type":"uri_file"}}}""");
        const int length = 1_500;
        (await pipelines.PutAsync("long", Many(length, i => i == 0
            ? new JsonObject { ["type"] = "command", ["componentId"] = $"{Arm.Main.Id}/components/long_first/versions/1" }
            : new JsonObject
            {
                ["type"] = "command",
                ["componentId"] = $"{Arm.Main.Id}/components/long_next/versions/1",
                ["inputs"] = new JsonObject { ["file"] = new JsonObject { ["value"] = $"${{{{parent.jobs.step{i - 1}.outputs.file}}}}" } },
            }))).Ok();
        var (job, log) = await Jobs.EndAsync("long");
        Assert.Equal("Failed", job.At("properties.status"));
        Assert.Contains($"0 of {length} steps completed, {length - 1} did not start", log, StringComparison.Ordinal);
        Assert.Equal("Canceled", (await Arm.GetAsync($"~/jobs/long_step{length - 1}")).Ok().At("properties.status"));
    }

    [Fact]
    public async Task Documents_nested_deeper_than_any_client_writes_are_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"a":""", 1_000)) + "1" + new string('}', 1_000);
        Assert.Equal(HttpStatusCode.BadRequest, (await Arm.PutAsync("~/jobs/deep", $$$$$$$$$"""{"properties":{"jobType":"Pipeline","jobs":{"a":{"type":"command","componentId":"x","inputs":{{{{{{{{{deep}}}}}}}}}}}}}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Arm.PutAsync("~/components/deep/versions/1", $$$$$$$$$"""{"properties":{"componentSpec":{{{{{{{{{deep}}}}}}}}}}}""")).Status);
        var lists = new string('[', 100_000) + new string(']', 100_000);
        Assert.Equal(HttpStatusCode.BadRequest, (await Arm.PutAsync("~/jobs/deep", $$$$$$$$$"""{"properties":{"jobType":"Pipeline","jobs":{{{{{{{{{lists}}}}}}}}}}}""")).Status);
    }

    [Fact]
    public async Task Values_larger_than_a_command_can_take_are_refused_where_they_stand()
    {
        await pipelines.ComponentAsync("large_takes", """{"command":"echo ${{inputs.text}} ${{inputs.text}}","inputs":{"text":{"type":"string"}}}""");
        var huge = new string('x', 130 * 1024);
        var half = new string('x', 70 * 1024);
        Assert.Equal(["properties.jobs.a.inputs.text.value"], (await pipelines.PutAsync("large", $$$$$$$$$"""{"jobs":{"a":{"type":"command","componentId":"@large_takes","inputs":{"text":{"value":"{{{{{{{{{huge}}}}}}}}}"}}}}}""")).Targets());
        Assert.Contains("properties.inputs.t.value", (await pipelines.PutAsync("large", $$$$$$$$$"""{"inputs":{"t":{"jobInputType":"literal","value":"{{{{{{{{{huge}}}}}}}}}"}},"jobs":{"a":{"type":"command","componentId":"@large_takes","inputs":{"text":{"value":"${{parent.inputs.t}}"}}}}}""")).Targets());
        Assert.Equal(["properties.jobs.a.command"], (await pipelines.PutAsync("large", $$$$$$$$$"""{"jobs":{"a":{"type":"command","componentId":"@large_takes","inputs":{"text":{"value":"{{{{{{{{{half}}}}}}}}}"}}}}}""")).Targets());
        Assert.Equal(["properties.inputs.t.value"], (await Jobs.PutAsync("large", $$$$$$$$$"""{"command":"echo ${{inputs.t}}","inputs":{"t":{"jobInputType":"literal","value":"{{{{{{{{{huge}}}}}}}}}"}}}""")).Targets());
        Assert.Equal(["properties.command"], (await Jobs.PutAsync("large", $$$$$$$$$"""{"command":"echo ${{inputs.t}} ${{inputs.t}}","inputs":{"t":{"jobInputType":"literal","value":"{{{{{{{{{half}}}}}}}}}"}}}""")).Targets());
        Assert.Equal(["properties.environmentVariables.V"], (await Jobs.PutAsync("large", $$$$$$$$$"""{"command":"echo","environmentVariables":{"V":"{{{{{{{{{huge}}}}}}}}}"}}""")).Targets());

        // What fits is given whole.
        (await Jobs.PutAsync("fits", $$$$$$$$$"""{"command":"x=${{inputs.t}}; echo ${#x} ${#V}","environmentVariables":{"V":"{{{{{{{{{half}}}}}}}}}"},"inputs":{"t":{"jobInputType":"literal","value":"{{{{{{{{{half}}}}}}}}}"}}}""")).Ok();
        Assert.Equal("71680 71680\n", (await Jobs.EndAsync("fits")).Log);
    }

    [Fact]
    public async Task A_value_that_thousands_of_steps_repeat_is_refused_before_it_fills_the_disk()
    {
        await pipelines.ComponentAsync("repeat_takes", """{"command":"echo ${{inputs.text}}","inputs":{"text":{"type":"string"}}}""");
        var all = JsonNode.Parse(Many(2_000, _ => new JsonObject
        {
            ["type"] = "command",
            ["componentId"] = $"{Arm.Main.Id}/components/repeat_takes/versions/1",
            ["inputs"] = new JsonObject { ["text"] = new JsonObject { ["value"] = "${{parent.inputs.t}}" } },
        }))!;
        all["inputs"] = new JsonObject { ["t"] = new JsonObject { ["jobInputType"] = "literal", ["value"] = new string('x', 100 * 1024) } };
        Assert.Contains("take more than 67108864 characters", Whole(await pipelines.PutAsync("repeat", all.ToJsonString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expressions_made_to_be_slow_are_read_in_one_pass()
    {
        await pipelines.ComponentAsync("slow_takes", """{"command":"true","inputs":{"text":{"type":"string"}}}""");
        string[] slow =
        [
            string.Concat(Enumerable.Repeat("${{", 35_000)), string.Concat(Enumerable.Repeat("$[[", 35_000)), "${{" + new string(' ', 110_000) + "parent.inputs.x",
            "${{parent.jobs." + new string('a', 110_000), new string(' ', 110_000) + "${{parent.inputs.x}} x", string.Concat(Enumerable.Repeat("${{parent.jobs.", 7_000)),
        ];
        foreach (var text in slow)
        {
            var node = new JsonObject { ["type"] = "command", ["componentId"] = "@slow_takes", ["inputs"] = new JsonObject { ["text"] = new JsonObject { ["value"] = text } }, ["environment_variables"] = new JsonObject { ["V"] = text } };
            var pipeline = await pipelines.PutAsync("slow", new JsonObject { ["jobs"] = new JsonObject { ["a"] = node } }.ToJsonString());
            Assert.True((int)pipeline.Status is 201 or 200 or 400 or 409, $"{pipeline.Status}");
            var command = await Jobs.PutAsync("slow-command", new JsonObject { ["command"] = text }.ToJsonString());
            Assert.True((int)command.Status is 201 or 200 or 400 or 409, $"{command.Status}");
            var component = await Arm.PutAsync("~/components/slow_made/versions/" + Array.IndexOf(slow, text), new JsonObject { ["properties"] = new JsonObject { ["componentSpec"] = new JsonObject { ["name"] = "slow_made", ["type"] = "command", ["command"] = text } } }.ToJsonString());
            Assert.True((int)component.Status is 201 or 400, $"{component.Status}");
        }
    }

    [Fact]
    public async Task Names_of_steps_never_meet_the_names_of_other_jobs()
    {
        await pipelines.ComponentAsync("clash_says", """{"command":"echo $AZUREML_RUN_ID","outputs":{"out":{"type":"uri_file"}}}""");
        await pipelines.ComponentAsync("clash_inner", $$$$$$$$$"""{"type":"pipeline","jobs":{"b":{"type":"command","componentId":"{{{{{{{{{Arm.Main.Id}}}}}}}}}/components/clash_says/versions/1"}}}""");
        (await Jobs.PutAsync("clash_taken", """{"command":"echo mine"}""")).Ok();
        await Jobs.EndAsync("clash_taken");
        (await pipelines.PutAsync("clash", """
            {"jobs":{"taken":{"type":"command","componentId":"@clash_says"},"a_b":{"type":"command","componentId":"@clash_says"},"A_B":{"type":"command","componentId":"@clash_says"},
                     "a":{"type":"pipeline","componentId":"@clash_inner"}}}
            """)).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("clash")).Job.At("properties.status"));
        Assert.Equal("mine\n", (await Jobs.EndAsync("clash_taken")).Log);
        Assert.Equal(4, (await pipelines.StepsAsync("clash")).Count);
        foreach (var name in (string[])["clash_taken_2", "clash_a_b", "clash_A_B_2", "clash_a_b_3"])
        {
            Assert.Equal(name + "\n", (await Jobs.EndAsync(name)).Log);
        }

        foreach (var name in (string[])["..", "a/b", "a b", "a\\nb", "", "a\\u0000", ".", "é", "-rf", new string('n', 5_000)])
        {
            var answer = await pipelines.PutAsync("clash-names", $$$$$$$$$"""{"jobs":{"{{{{{{{{{name}}}}}}}}}":{"type":"command","componentId":"@clash_says"}}}""");
            Assert.True(answer.Status == HttpStatusCode.BadRequest, $"a step called '{name}' was accepted");
        }
    }

    [Theory]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.victim/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.victim")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/ExperimentRun/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/ExperimentRun")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/./ExperimentRun/dcid.victim/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/x/../ExperimentRun/dcid.victim/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/%45xperimentRun/dcid.victim/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/x/%2e%2e/ExperimentRun/dcid.victim/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.${{name}}/../dcid.victim/")]
    [InlineData("azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.${{name}}x/")]
    [InlineData("azureml://jobs/victim/outputs/artifacts/paths/user_logs/")]
    public async Task What_lies_among_the_artifacts_of_another_run_is_never_written(string place)
    {
        await pipelines.ComponentAsync("writes_there", """{"command":"echo stolen > ${{outputs.out}}/stolen.txt","outputs":{"out":{"type":"uri_folder"}}}""");
        await pipelines.ComponentAsync("writes_input", """{"command":"echo stolen > ${{inputs.in}}/stolen.txt","inputs":{"in":{"type":"uri_folder"}}}""");
        if ((await Arm.GetAsync("~/jobs/victim")).Status == HttpStatusCode.NotFound)
        {
            (await Jobs.PutAsync("victim", """{"command":"echo whole"}""")).Ok();
            await Jobs.EndAsync("victim");
        }

        var uri = place.Replace("${{name}}", "thief", StringComparison.Ordinal);
        var thief = "thief-" + Guid.NewGuid().ToString("N");
        var attacks = new[]
        {
            await Jobs.PutAsync(thief + "0", $$$$$$$$$"""{"command":"echo stolen > ${{outputs.o}}/stolen.txt","outputs":{"o":{"jobOutputType":"uri_folder","uri":"{{{{{{{{{place}}}}}}}}}"}}}"""),
            await Jobs.PutAsync(thief + "1", $$$$$$$$$"""{"command":"echo stolen > ${{inputs.i}}/stolen.txt","inputs":{"i":{"jobInputType":"uri_folder","mode":"ReadWriteMount","uri":"{{{{{{{{{uri}}}}}}}}}"}}}"""),
            await pipelines.PutAsync(thief + "2", $$$$$$$$$"""{"jobs":{"a":{"type":"command","componentId":"@writes_there","outputs":{"out":{"job_output_type":"uri_folder","uri":"{{{{{{{{{place}}}}}}}}}"}}}}}"""),
            await pipelines.PutAsync(thief + "3", $$$$$$$$$"""{"outputs":{"all":{"jobOutputType":"uri_folder","uri":"{{{{{{{{{place}}}}}}}}}"}},"jobs":{"a":{"type":"command","componentId":"@writes_there","outputs":{"out":{"type":"literal","value":"${{parent.outputs.all}}"}}}}}"""),
            await pipelines.PutAsync(thief + "4", $$$$$$$$$"""{"jobs":{"a":{"type":"command","componentId":"@writes_input","inputs":{"in":{"job_input_type":"uri_folder","mode":"ReadWriteMount","uri":"{{{{{{{{{uri}}}}}}}}}"}}}}}"""),
        };

        // An encoded path is a name of its own: what is not refused writes elsewhere.
        foreach (var accepted in attacks.Where(answer => answer.Status == HttpStatusCode.Created))
        {
            Assert.Contains('%', place);
            await Jobs.EndAsync(accepted.Body["name"]!.ToString());
        }

        Assert.All(attacks, answer => Assert.True(answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.Created, $"{answer.Status}: {answer.Body.ToJsonString()}"));
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(host.Root, "blobs"), "stolen.txt", SearchOption.AllDirectories), path => path.Contains("/ExperimentRun/dcid.victim/", StringComparison.Ordinal));
    }

    private static string Many(int count, Func<int, JsonObject> node) =>
        new JsonObject { ["jobs"] = new JsonObject(Enumerable.Range(0, count).Select(i => KeyValuePair.Create($"step{i}", (JsonNode?)node(i)))) }.ToJsonString();

    private static string Whole((HttpStatusCode Status, JsonObject Body) answer)
    {
        answer.Fails(HttpStatusCode.BadRequest);
        return answer.Body.ToJsonString();
    }
}
