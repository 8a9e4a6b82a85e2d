using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Zaffre.Jobs;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Loops made to grow without bound, and values made to break what reads them.</summary>
public sealed class LoopAttackTests : IAsyncLifetime
{
    private const int MostSteps = 25;

    private readonly ZaffreHost host = new() { Also = services => services.AddSingleton(new JobOptions { MostSteps = MostSteps }) };
    private readonly PipelineClient pipelines;

    public LoopAttackTests() => pipelines = new PipelineClient(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    public Task InitializeAsync() => host.InitializeAsync();

    public Task DisposeAsync() => host.DisposeAsync();

    /// <summary>Three loops, each of two hundred of the next: eight million commands.</summary>
    [Fact]
    public async Task Loops_within_loops_are_refused_when_together_they_make_too_many_steps()
    {
        await pipelines.ComponentAsync("la_leaf", """{"command":"true","inputs":{"number":{"type":"integer","default":1}}}""");
        await pipelines.ComponentAsync("la_two", Each("la_leaf", 200));
        await pipelines.ComponentAsync("la_three", Each("la_two", 200));
        await pipelines.ComponentAsync("la_four", Each("la_three", 200));
        var answer = await pipelines.PutAsync("multiplied", """{"jobs":{"all":{"type":"pipeline","componentId":"@la_four"}}}""");
        answer.Fails(HttpStatusCode.BadRequest);
        Assert.Contains("are more than 5000 steps", answer.Body.ToJsonString(), StringComparison.Ordinal);
        (await Arm.GetAsync("~/jobs/multiplied")).Fails(HttpStatusCode.NotFound);
    }

    /// <summary>The same, with items that nobody knows before a step has written them.</summary>
    [Fact]
    public async Task Loops_whose_items_a_step_writes_fail_when_their_pipeline_comes_to_too_many_steps()
    {
        await pipelines.ComponentAsync("la_items", """{"command":"echo '[{\"number\":1},{\"number\":2},{\"number\":3},{\"number\":4},{\"number\":5}]' > ${{outputs.items}}","outputs":{"items":{"type":"string"}}}""");
        await pipelines.ComponentAsync("la_one", """{"command":"true","inputs":{"number":{"type":"integer","default":1}}}""");
        await pipelines.ComponentAsync("la_inner", EachOf("la_one", component: true));
        (await pipelines.PutAsync("grown", EachOf("la_inner", component: false))).Ok();
        var (job, _) = await Jobs.EndAsync("grown");
        Assert.Equal("Failed", job.At("properties.status"));
        var loops = await Task.WhenAll(Enumerable.Range(1, 5).Select(async i => (await Arm.GetAsync($"~/jobs/grown_each_{i}_each")).Ok()["properties"]!["properties"]!["zaffre.error.message"]?.ToString() ?? ""));
        Assert.Contains(loops, message => message.Contains($"and {MostSteps} are the most", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""[{"number":1,"number":2}]""")]
    [InlineData("""{"a":{"number":1},"a":{"number":2}}""")]
    [InlineData("DEEP")]
    [InlineData("HUGE")]
    [InlineData("""[{"number":"\ud800"}]""")]
    [InlineData("""[{"number":1e400}]""")]
    [InlineData("""[{"number":99999999999999999999999999}]""")]
    [InlineData("""[null]""")]
    [InlineData("""[{"":1}]""")]
    public async Task Items_that_are_broken_are_refused_when_sent_and_fail_the_loop_when_a_step_wrote_them(string items)
    {
        var text = items switch
        {
            "DEEP" => new string('[', 5_000) + new string(']', 5_000),
            "HUGE" => "[" + string.Join(",", Enumerable.Repeat("{\"number\":1}", 5_000)) + "]",
            _ => items,
        };
        await pipelines.ComponentAsync("la_body", """{"command":"true","inputs":{"number":{"type":"integer"}}}""");
        var node = new JsonObject { ["type"] = "command", ["componentId"] = "@la_body" };
        var sent = await pipelines.PutAsync("broken", new JsonObject
        {
            ["jobs"] = new JsonObject { ["body"] = node.DeepClone(), ["each"] = new JsonObject { ["type"] = "parallel_for", ["body"] = "${{parent.jobs.body}}", ["items"] = text } },
        }.ToJsonString());
        Assert.Equal(HttpStatusCode.BadRequest, sent.Status);
        var asInput = await pipelines.PutAsync("broken", new JsonObject
        {
            ["inputs"] = new JsonObject { ["items"] = new JsonObject { ["jobInputType"] = "literal", ["value"] = text } },
            ["jobs"] = new JsonObject { ["body"] = node.DeepClone(), ["each"] = new JsonObject { ["type"] = "parallel_for", ["body"] = "${{parent.jobs.body}}", ["items"] = "${{parent.inputs.items}}" } },
        }.ToJsonString());
        Assert.Equal(HttpStatusCode.BadRequest, asInput.Status);

        await pipelines.ComponentAsync("la_writes", """{"command":"printf %s \"$ITEMS\" > ${{outputs.items}}","outputs":{"items":{"type":"string"}}}""");
        var name = "broken-" + Guid.NewGuid().ToString("N")[..8];
        (await pipelines.PutAsync(name, new JsonObject
        {
            ["jobs"] = new JsonObject
            {
                ["make"] = new JsonObject { ["type"] = "command", ["componentId"] = "@la_writes", ["environment_variables"] = new JsonObject { ["ITEMS"] = text } },
                ["body"] = node.DeepClone(),
                ["each"] = new JsonObject { ["type"] = "parallel_for", ["body"] = "${{parent.jobs.body}}", ["items"] = "${{parent.jobs.make.outputs.items}}" },
            },
        }.ToJsonString())).Ok();
        var (job, log) = await Jobs.EndAsync(name);
        Assert.True(job.At("properties.status") == "Failed", log);
        Assert.InRange(log.Length, 1, 20_000);
    }

    [Theory]
    [InlineData("head -c 100000000 /dev/zero")]
    [InlineData("printf '\\xff\\xfe\\x00\\x01'")]
    [InlineData("printf 'true\\nfalse'")]
    [InlineData("yes true | head -c 300000")]
    [InlineData(":")]
    [InlineData("ln -sf /etc/passwd ${{outputs.flag}}; :")]
    [InlineData("rm -f ${{outputs.flag}}; mkdir ${{outputs.flag}}; :", "")]
    [InlineData("rm -f ${{outputs.flag}}; mkfifo ${{outputs.flag}}; :", "")]
    public async Task A_value_that_is_none_fails_the_step_that_wrote_it(string writes, string into = "> ${{outputs.flag}}")
    {
        var name = "la-" + Guid.NewGuid().ToString("N")[..8];
        await pipelines.ComponentAsync(name.Replace('-', '_'), new JsonObject
        {
            ["command"] = $"{writes} {into}",
            ["outputs"] = new JsonObject { ["flag"] = new JsonObject { ["type"] = "boolean" } },
        }.ToJsonString());
        await pipelines.ComponentAsync("la_taken", """{"command":"true"}""");
        (await pipelines.PutAsync(name, new JsonObject
        {
            ["jobs"] = new JsonObject
            {
                ["tells"] = new JsonObject { ["type"] = "command", ["componentId"] = "@" + name.Replace('-', '_') },
                ["check"] = new JsonObject { ["type"] = "if_else", ["condition"] = "${{parent.jobs.tells.outputs.flag}}", ["true_block"] = "${{parent.jobs.yes}}" },
                ["yes"] = new JsonObject { ["type"] = "command", ["componentId"] = "@la_taken" },
            },
        }.ToJsonString())).Ok();
        var (job, log) = await Jobs.EndAsync(name);
        Assert.True(job.At("properties.status") == "Failed", log);
        Assert.Equal(("Failed", "Canceled"), ((await pipelines.StepsAsync(name))["tells"], (await pipelines.StepsAsync(name))["yes"]));
        Assert.DoesNotContain("root:", log, StringComparison.Ordinal);
        Assert.InRange(log.Length, 1, 20_000);
    }

    private string Each(string component, int count) => new JsonObject
    {
        ["type"] = "pipeline",
        ["inputs"] = new JsonObject { ["number"] = new JsonObject { ["type"] = "integer", ["default"] = 1 } },
        ["jobs"] = new JsonObject
        {
            ["body"] = new JsonObject { ["type"] = "command", ["componentId"] = $"{Arm.Main.Id}/components/{component}/versions/1" },
            ["each"] = new JsonObject
            {
                ["type"] = "parallel_for",
                ["body"] = "${{parent.jobs.body}}",
                ["items"] = new JsonArray([.. Enumerable.Range(0, count).Select(i => (JsonNode)new JsonObject { ["number"] = i })]).ToJsonString(),
            },
        },
    }.ToJsonString();

    private string EachOf(string body, bool component)
    {
        var all = new JsonObject
        {
            ["jobs"] = new JsonObject
            {
                ["make"] = new JsonObject { ["type"] = "command", ["componentId"] = $"{Arm.Main.Id}/components/la_items/versions/1" },
                ["body"] = new JsonObject { ["type"] = "command", ["componentId"] = $"{Arm.Main.Id}/components/{body}/versions/1" },
                ["each"] = new JsonObject { ["type"] = "parallel_for", ["body"] = "${{parent.jobs.body}}", ["items"] = "${{parent.jobs.make.outputs.items}}" },
            },
        };
        if (component)
        {
            all["type"] = "pipeline";
            all["inputs"] = new JsonObject { ["number"] = new JsonObject { ["type"] = "integer", ["default"] = 1 } };
        }

        return all.ToJsonString();
    }
}
