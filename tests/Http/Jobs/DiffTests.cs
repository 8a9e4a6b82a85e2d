using System.Net;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;
using Zaffre.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>What is said to differ between two jobs.</summary>
public sealed class DiffTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task Everything_that_two_commands_were_made_from_and_came_to_is_compared()
    {
        await CodeAsync("diff-code", "1", ("clean.py", "a\nb\nc\nd\n"), ("same.py", "x\n"), ("gone.py", "y\n"));
        await CodeAsync("diff-code", "2", ("clean.py", "a\nB\nC\nd\n"), ("same.py", "x\n"), ("new.bin", "\0"));
        await EnvironmentAsync("one", "dependencies:\n- python\n- pip:\n  - pip\n");
        await EnvironmentAsync("two", "dependencies:\n- python\n- pip:\n  - setuptools\n");
        await RunAsync("diff_a", """{"command":"echo ${{inputs.rate}} > ${{outputs.out}}","codeId":"CODE/1","environmentId":"ENV/one/versions/1","inputs":{"rate":{"jobInputType":"literal","value":"0.1"}},"environmentVariables":{"SEED":"1","SAME":"x"},"outputs":{"out":{"jobOutputType":"uri_file"},"both":{"jobOutputType":"uri_folder"}}}""");
        await RunAsync("diff_b", """{"command":"echo ${{inputs.rate}} > ${{outputs.out}}; true","codeId":"CODE/2","environmentId":"ENV/two/versions/1","inputs":{"rate":{"jobInputType":"literal","value":"0.2"}},"environmentVariables":{"SEED":"2","SAME":"x"},"outputs":{"out":{"jobOutputType":"uri_file"},"both":{"jobOutputType":"uri_folder"}},"limits":{"jobLimitsType":"Command","timeout":"PT1M"}}""");
        foreach (var (job, loss) in new[] { ("diff_a", "0.5"), ("diff_b", "0.25") })
        {
            (await Arm.PostAsync($"/mlflow/v1.0{Arm.Main.Id}/api/2.0/mlflow/runs/log-metric", $$"""{"run_id":"{{job}}","key":"loss","value":{{loss}},"timestamp":1,"step":1}""")).Ok();
            (await Arm.PostAsync($"/mlflow/v1.0{Arm.Main.Id}/api/2.0/mlflow/runs/log-parameter", $$"""{"run_id":"{{job}}","key":"depth","value":"{{loss}}0"}""")).Ok();
        }

        var found = await DiffAsync("diff_a", "diff_b");
        Assert.Equal(
            [
                "code clean.py changed: lines 2-3", "code gone.py removed", "code new.bin added", "command line 1", "environment conda file, line 4",
                "input rate", "limit timeout", "metric loss", "output out: out changed: line 1", "parameter depth", "variable SEED",
            ],
            found.Select(row => $"{row["aspect"]} {row["what"]}").Order(StringComparer.Ordinal));
        Assert.Equal(("0.1", "0.2"), Sides(found, "input"));
        Assert.Equal(("0.5", "0.25"), Sides(found, "metric"));
        Assert.Equal(("- pip", "- setuptools"), Sides(found, "environment"));
        Assert.Empty(await DiffAsync("diff_a", "diff_a"));

        // The comparison of runs knows the same of what they were made from, and names each once.
        var origin = (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/compare?runs=diff_a,diff_b&include=origin,params")).Ok()["origin"]!;
        Assert.Equal("diff_a", origin["base"]!.ToString());
        Assert.Equal(
            ["code clean.py changed: lines 2-3", "code gone.py removed", "code new.bin added", "command line 1", "environment conda file, line 4", "input rate", "limit timeout", "variable SEED"],
            origin["differences"]!.AsArray().Select(row => $"{row!["aspect"]} {row["what"]}").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["code", "command", "environment", "input.rate", "timeout", "variable.SEED"],
            origin["rows"]!.AsArray().Where(row => row!["state"]!.ToString() == "different").Select(row => row!["name"]!.ToString()));

        var rerun = (await Arm.PostAsync($"/zaffre/v1{Arm.Main.Id}/jobs/diff_a/rerun", """{"name":"diff_again"}""")).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync(rerun.At("name"))).Job.At("properties.status"));
        Assert.Equal(["metric", "parameter"], (await DiffAsync("diff_a", "diff_again")).Select(row => row["aspect"]!.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pipelines_are_compared_step_by_step()
    {
        await pipelines.ComponentAsync("diff_step", """{"command":"echo ${{inputs.word}}; exit ${{inputs.code}}","inputs":{"word":{"type":"string"},"code":{"type":"integer","default":"0"}}}""");
        (await pipelines.PutAsync("diff_left", """
            {"settings":{"default_compute":"serverless"},"inputs":{"word":{"jobInputType":"literal","value":"x"}},
             "jobs":{"a":{"componentId":"@diff_step","inputs":{"word":{"job_input_type":"literal","value":"${{parent.inputs.word}}"}}},"b":{"componentId":"@diff_step","inputs":{"word":{"job_input_type":"literal","value":"same"}}}}}
            """)).Ok();
        (await pipelines.PutAsync("diff_right", """
            {"settings":{"default_compute":"serverless"},"inputs":{"word":{"jobInputType":"literal","value":"y"}},
             "jobs":{"a":{"componentId":"@diff_step","inputs":{"word":{"job_input_type":"literal","value":"${{parent.inputs.word}}"},"code":{"job_input_type":"literal","value":"3"}}},"c":{"componentId":"@diff_step","inputs":{"word":{"job_input_type":"literal","value":"same"}}}}}
            """)).Ok();
        await Jobs.EndAsync("diff_left");
        await Jobs.EndAsync("diff_right");
        var found = await DiffAsync("diff_left", "diff_right");
        Assert.Equal(
            [" input word: x | y", " status status: Completed | Failed, StepFailed", "a input code: 0 | 3", "a input word: x | y", "a status status: Completed | Failed, UserError", "b step b: Completed | ", "c step c:  | Completed"],
            found.Select(row => $"{row["step"]} {row["aspect"]} {row["what"]}: {row["left"]} | {row["right"]}").Order(StringComparer.Ordinal));
        Assert.Equal("step", Assert.Single(await DiffAsync("diff_left", "diff_left_a"))["aspect"]!.ToString());
    }

    [Fact]
    public async Task What_cannot_be_compared_is_told()
    {
        await RunAsync("diff_only", """{"command":"true"}""");
        Assert.Equal("ResourceNotFound", (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/diff_only/diff?with=nobody")).Fails(HttpStatusCode.NotFound));
        Assert.Equal("ResourceNotFound", (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/nobody/diff?with=diff_only")).Fails(HttpStatusCode.NotFound));
        Assert.Equal("with", Assert.Single((await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/diff_only/diff")).Targets()));
    }

    private static (string?, string?) Sides(IEnumerable<JsonObject> found, string aspect)
    {
        var row = found.Single(row => row["aspect"]!.ToString() == aspect);
        return (row["left"]?.ToString(), row["right"]?.ToString());
    }

    private async Task<JsonObject[]> DiffAsync(string left, string right)
    {
        var answer = (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{left}/diff?with={right}")).Ok();
        var found = answer["differences"]!.AsArray().Select(row => row!.AsObject()).ToArray();
        Assert.Equal((left, right, found.Length == 0), (answer.At("left"), answer.At("right"), answer["same"]!.GetValue<bool>()));
        return found;
    }

    private async Task RunAsync(string name, string properties)
    {
        (await Jobs.PutAsync(name, properties.Replace("CODE", $"{Arm.Main.Id}/codes/diff-code/versions", StringComparison.Ordinal).Replace("ENV", $"{Arm.Main.Id}/environments", StringComparison.Ordinal))).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync(name)).Job.At("properties.status"));
    }

    private async Task EnvironmentAsync(string name, string conda) =>
        (await Arm.PutAsync($"~/environments/{name}/versions/1", new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian", ["condaFile"] = conda } }.ToJsonString())).Ok();

    private async Task CodeAsync(string name, string version, params (string File, string Text)[] files)
    {
        var store = (await host.Get<IDatastores>().ResolveAsync(Arm.Main, "workspaceblobstore", CancellationToken.None)).Value;
        foreach (var (file, text) in files)
        {
            var place = store.Child($"{name}/{version}/{file}");
            await using var content = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
            _ = (await host.Get<IBlobStore>().PutAsync(new BlobAddress(place.Account, place.Container, place.Path), content, new BlobWrite(), CancellationToken.None)).Value;
        }

        var uri = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, $"azureml://datastores/workspaceblobstore/paths/{name}/{version}", CancellationToken.None)).Value;
        (await Arm.PutAsync($"~/codes/{name}/versions/{version}", new JsonObject { ["properties"] = new JsonObject { ["codeUri"] = uri.LongDatastoreUri } }.ToJsonString())).Ok();
    }
}
