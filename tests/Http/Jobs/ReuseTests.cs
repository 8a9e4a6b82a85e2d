using System.Text;
using System.Text.Json.Nodes;
using Zaffre.Assets;
using Zaffre.Storage;
using Zaffre.Tests.Http.Workspaces;

namespace Zaffre.Tests.Http.Jobs;

/// <summary>Steps that need not run again, and why others do.</summary>
public sealed class ReuseTests(ZaffreHost host) : IClassFixture<ZaffreHost>
{
    private const string Chain = """
        {"experimentName":"PRE","inputs":{"word":{"jobInputType":"literal","value":"WORD"}},"outputs":{"end":{"jobOutputType":"uri_folder","assetName":"ASSET"}},
         "jobs":{"make":{"type":"command","componentId":"@PRE_make","inputs":{"word":{"value":"${{parent.inputs.word}}"}}},
                 "copy":{"type":"command","componentId":"@PRE_copy","inputs":{"data":{"value":"${{parent.jobs.make.outputs.out}}"}}},
                 "last":{"type":"command","componentId":"@PRE_copy","environment_variables":{"L":"1"},"inputs":{"data":{"value":"${{parent.jobs.copy.outputs.out}}"}},"outputs":{"out":{"value":"${{parent.outputs.end}}"}}}}}
        """;

    private readonly PipelineClient pipelines = new(host);

    private Arm Arm => pipelines.Arm;

    private JobClient Jobs => pipelines.Jobs;

    [Fact]
    public async Task A_pipeline_of_which_nothing_changed_is_reused_as_a_whole()
    {
        await ChainAsync("all");
        var first = await RunAsync("all-1", Of("all", "a"));
        Assert.Equal(["run FirstRun", "run FirstRun", "run Changed"], await WhyAsync("all-1"));
        var second = await RunAsync("all-2", Of("all", "a"));
        Assert.Equal(["reused Reused", "reused Reused", "reused Reused"], await WhyAsync("all-2"));
        Assert.Equal(["make", "copy", "last"], second.Steps.Select(step => step["step"]!.ToString()));
        Assert.Equal("reused from the job all-1_make: nothing that it sees has changed", second.Steps[0]["summary"]!.ToString());
        Assert.Equal("all-1_make", second.Steps[0]["reusedFrom"]!.ToString());

        // It is a Completed child run that says whose outputs it has; they lie where the original wrote them.
        var step = (await Arm.GetAsync("~/jobs/all-2_copy")).Ok();
        var properties = step["properties"]!["properties"]!;
        Assert.Equal(("Completed", "true", "all-1_copy", "all-1"), (step.At("properties.status"), properties["azureml.isreused"]!.ToString(), properties["azureml.reusedrunid"]!.ToString(), properties["azureml.reusedpipelinerunid"]!.ToString()));
        Assert.Equal((await Arm.GetAsync("~/jobs/all-1_copy")).Ok().At("properties.outputs.out.uri"), step.At("properties.outputs.out.uri"));
        Assert.Equal((await Arm.GetAsync("~/jobs/all-1_make")).Ok().At("properties.outputs.out.uri"), step.At("properties.inputs.data.uri"));
        Assert.Equal("a\n", await pipelines.ReadAsync("azureml://jobs/all-2_last/outputs/out/paths/word.txt"));
        Assert.Equal("a\n", await pipelines.ReadAsync("azureml://jobs/all-2/outputs/end/paths/word.txt"));
        Assert.Equal("a\n", await pipelines.ReadAsync(await PlaceAsync("azureml:reused-all@latest") + "/word.txt"));
        Assert.Contains("copy: reused from the job all-1_copy", second.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("queued", second.Log, StringComparison.Ordinal);
        Assert.Contains("make: runs: no earlier run of this step is known", first.Log, StringComparison.Ordinal);
        Assert.Equal("Completed", (await Arm.GetAsync($"/history/v1.0{Arm.Main.Id}/runs/all-2_copy")).Ok().At("status"));

        // What was reused is reused again, and the original stays the original.
        var third = await RunAsync("all-3", Of("all", "a"));
        Assert.All(third.Steps, reused => Assert.StartsWith("all-1_", reused["reusedFrom"]!.ToString(), StringComparison.Ordinal));

        // Without its original the outputs are still there.
        (await Arm.DeleteAsync("~/jobs/all-1")).Ok();
        var fourth = await RunAsync("all-4", Of("all", "a"));
        Assert.All(fourth.Steps, reused => Assert.Equal("reused", reused["decision"]!.ToString()));
        Assert.Equal("a\n", await pipelines.ReadAsync("azureml://jobs/all-4/outputs/end/paths/word.txt"));
    }

    [Fact]
    public async Task A_step_that_reads_what_another_wrote_to_an_output_of_the_pipeline_is_decided_too()
    {
        await ChainAsync("bound");
        const string pipeline = """
            {"experimentName":"bound","outputs":{"end":{"jobOutputType":"uri_folder"}},
             "jobs":{"make":{"type":"command","componentId":"@bound_make","inputs":{"word":{"value":"x"}},"outputs":{"out":{"value":"${{parent.outputs.end}}"}}},
                     "copy":{"type":"command","componentId":"@bound_copy","inputs":{"data":{"value":"${{parent.jobs.make.outputs.out}}"}}}}}
            """;
        foreach (var (name, expected) in new[] { ("bound-1", "run"), ("bound-2", "reused"), ("bound-3", "reused") })
        {
            await RunAsync(name, pipeline);
            Assert.All(await WhyAsync(name), decision => Assert.StartsWith(expected, decision, StringComparison.Ordinal));
        }

        // One runs again and writes the same; what reads it is reused.
        (await pipelines.PutAsync("bound-4", pipeline.Replace("@bound_make\",", "@bound_make\",\"environment_variables\":{\"Y\":\"1\"},", StringComparison.Ordinal))).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("bound-4")).Job.At("properties.status"));
        Assert.Equal(["run Changed", "reused Reused"], await WhyAsync("bound-4"));
    }

    [Fact]
    public async Task What_changed_runs_again_with_the_reason_and_what_has_the_same_input_is_reused()
    {
        await ChainAsync("some");
        await RunAsync("some-1", Of("some", "b"));
        var changed = await RunAsync("some-2", Of("some", "c"));
        Assert.Equal(["run Changed", "run Changed", "run Changed"], await WhyAsync("some-2"));
        Assert.Equal("runs: input word changed: b -> c", changed.Steps[0]["summary"]!.ToString());
        Assert.Equal(("runs: input data changed: 1 file differs: word.txt", "some-1_copy"), (changed.Steps[1]["summary"]!.ToString(), changed.Steps[1]["comparedWith"]!.ToString()));

        // Another command that writes the same: only the step that it is of runs.
        await pipelines.ComponentAsync("some_make2", """{"command":"printf '%s\\n' ${{inputs.word}} > ${{outputs.out}}/word.txt","inputs":{"word":{"type":"string"}},"outputs":{"out":{"type":"uri_folder"}}}""");
        var cut = await RunAsync("some-3", Of("some", "c").Replace("@some_make", "@some_make2", StringComparison.Ordinal));
        Assert.Equal(["run Changed", "reused Reused", "reused Reused"], await WhyAsync("some-3"));
        Assert.StartsWith("runs: command changed: echo ${{inputs.word}}", cut.Steps[0]["summary"]!.ToString(), StringComparison.Ordinal);
        var variable = Of("some", "c").Replace("\"componentId\":\"@some_make\"", "\"componentId\":\"@some_make\",\"environment_variables\":{\"X\":\"1\"}", StringComparison.Ordinal);
        Assert.Equal("runs: variable X was added", (await RunAsync("some-4", variable)).Steps[0]["summary"]!.ToString());
    }

    [Fact]
    public async Task Force_rerun_and_steps_that_are_not_deterministic_always_run()
    {
        await ChainAsync("forced");
        await RunAsync("forced-1", Of("forced", "d"));
        await RunAsync("forced-2", Of("forced", "d").Replace("\"jobs\":", "\"settings\":{\"force_rerun\":true},\"jobs\":", StringComparison.Ordinal));
        Assert.Equal(["run Forced", "run Forced", "run Forced"], await WhyAsync("forced-2"));
        await pipelines.ComponentAsync("forced_dice", """{"command":"echo ${{inputs.word}} > ${{outputs.out}}/word.txt","is_deterministic":false,"inputs":{"word":{"type":"string"}},"outputs":{"out":{"type":"uri_folder"}}}""");
        var dice = Of("forced", "d").Replace("@forced_make", "@forced_dice", StringComparison.Ordinal);
        await RunAsync("forced-3", dice);
        Assert.Equal(["run NotDeterministic", "reused Reused", "reused Reused"], await WhyAsync("forced-3"));
        await RunAsync("forced-4", dice);
        Assert.Equal(["run NotDeterministic", "reused Reused", "reused Reused"], await WhyAsync("forced-4"));
    }

    [Fact]
    public async Task Outputs_that_were_deleted_or_changed_are_made_again()
    {
        await ChainAsync("gone");
        await RunAsync("gone-1", Of("gone", "e"));
        var made = await PlaceAsync("azureml://jobs/gone-1_make/outputs/out");
        await Store.DeleteFolderAsync(await AddressAsync(made), CancellationToken.None);
        var again = await RunAsync("gone-2", Of("gone", "e"));
        Assert.Equal(["run OutputGone", "reused Reused", "reused Reused"], await WhyAsync("gone-2"));
        Assert.Equal("runs: the output 'out' of the job gone-1_make was deleted", again.Steps[0]["summary"]!.ToString());
        await WriteAsync((await PlaceAsync("azureml://jobs/gone-1_copy/outputs/out")) + "/word.txt", "tampered\n");
        var changed = await RunAsync("gone-3", Of("gone", "e"));
        Assert.Equal("runs: the output 'out' of the job gone-1_copy was changed", changed.Steps[1]["summary"]!.ToString());
        Assert.Equal("e\n", await pipelines.ReadAsync("azureml://jobs/gone-3/outputs/end/paths/word.txt"));
    }

    [Fact]
    public async Task Data_and_code_count_by_content_and_the_difference_names_files_and_lines()
    {
        await DataAsync("files", "1", ("a.csv", "1\n"), ("b.csv", "2\n"), ("same.csv", "0\n"));
        await CodeAsync("code1", ("clean.py", "a\nb\nc\nd\n"), ("util.py", "u\n"));
        await pipelines.ComponentAsync("content", Code("code1"));
        var pipeline = """{"jobs":{"clean":{"type":"command","componentId":"@content","inputs":{"data":{"job_input_type":"uri_folder","uri":"azureml:files:1"}}}}}""";
        await RunAsync("content-1", pipeline);

        // The same content under other names and versions.
        await DataAsync("other", "7", ("a.csv", "1\n"), ("b.csv", "2\n"), ("same.csv", "0\n"));
        await CodeAsync("code2", ("clean.py", "a\nb\nc\nd\n"), ("util.py", "u\n"));
        await pipelines.ComponentAsync("content2", Code("code2"));
        await RunAsync("content-2", pipeline.Replace("azureml:files:1", "azureml:other:7", StringComparison.Ordinal).Replace("@content", "@content2", StringComparison.Ordinal));
        Assert.Equal(["reused Reused"], await WhyAsync("content-2"));

        await DataAsync("files", "2", ("a.csv", "9\n"), ("c.csv", "2\n"), ("same.csv", "0\n"));
        var data = await RunAsync("content-3", pipeline.Replace("azureml:files:1", "azureml:files:2", StringComparison.Ordinal));
        Assert.Equal("runs: input data changed: 3 files differ: a.csv, b.csv, c.csv", data.Steps[0]["summary"]!.ToString());
        await CodeAsync("code3", ("clean.py", "a\nB\nC\nd\n"), ("util.py", "u\n"), ("new.py", "\n"));
        await pipelines.ComponentAsync("content3", Code("code3"));
        var code = await RunAsync("content-4", pipeline.Replace("@content", "@content3", StringComparison.Ordinal).Replace("files:1", "files:2", StringComparison.Ordinal));
        Assert.Equal("runs: `clean.py` changed: lines 2-3, `new.py` was added", code.Steps[0]["summary"]!.ToString());

        // In place: the version says the same, the content does not.
        await WriteAsync("azureml://datastores/workspaceblobstore/paths/data-files-1/a.csv", "5\n");
        var place = await RunAsync("content-5", pipeline);
        Assert.Equal("run", place.Steps[0]["decision"]!.ToString());
        Assert.Contains("input data changed", place.Steps[0]["summary"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_counts_by_what_it_is_made_of()
    {
        async Task EnvironmentAsync(string version, string conda) =>
            (await Arm.PutAsync($"~/environments/packages/versions/{version}", new JsonObject { ["properties"] = new JsonObject { ["image"] = "debian", ["condaFile"] = conda } }.ToJsonString())).Ok();
        async Task ComponentAsync(string name, string version) =>
            await pipelines.ComponentAsync(name, $$$$"""{"command":"echo > ${{outputs.out}}","environment":"azureml:{{{{Arm.Main.Id}}}}/environments/packages/versions/{{{{version}}}}","outputs":{"out":{"type":"uri_file"}}}""");
        await EnvironmentAsync("1", "dependencies:\n- python\n");
        await EnvironmentAsync("2", "dependencies:\n- python\n");
        await EnvironmentAsync("3", "dependencies:\n- python>=3\n");
        await ComponentAsync("env1", "1");
        await ComponentAsync("env2", "2");
        await ComponentAsync("env3", "3");
        const string pipeline = """{"jobs":{"one":{"type":"command","componentId":"@env1"}}}""";
        await RunAsync("env-1", pipeline);
        await RunAsync("env-2", pipeline.Replace("@env1", "@env2", StringComparison.Ordinal));
        Assert.Equal(["reused Reused"], await WhyAsync("env-2"));
        var changed = await RunAsync("env-3", pipeline.Replace("@env1", "@env3", StringComparison.Ordinal));
        Assert.Equal("runs: environment changed: python -> python>=3", changed.Steps[0]["summary"]!.ToString());
    }

    [Fact]
    public async Task Failed_runs_are_not_reused_and_an_asked_for_place_has_its_content()
    {
        await pipelines.ComponentAsync("place", """{"command":"echo here > ${{outputs.out}}/word.txt","outputs":{"out":{"type":"uri_folder"}}}""");
        static string To(string path) => """{"jobs":{"put":{"type":"command","componentId":"@place","outputs":{"out":{"job_output_type":"uri_folder","uri":"azureml://datastores/workspaceblobstore/paths/PATH"}}}}}""".Replace("PATH", path, StringComparison.Ordinal);
        await RunAsync("place-1", To("asked/one"));
        await RunAsync("place-2", To("asked/one"));
        Assert.Equal(["reused Reused"], await WhyAsync("place-2"));
        var elsewhere = await RunAsync("place-3", To("asked/two"));
        Assert.StartsWith("runs: output out is asked for at another place", elsewhere.Steps[0]["summary"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("here\n", await pipelines.ReadAsync("azureml://datastores/workspaceblobstore/paths/asked/two/word.txt"));

        // A place of which the job's name is part is another one in each run: what was asked for counts, and the files stay with the run that wrote them.
        await RunAsync("place-4", To("asked/${{name}}/it"));
        await RunAsync("place-5", To("asked/${{ name }}/it"));
        Assert.Equal(["reused Reused"], await WhyAsync("place-5"));
        var outputs = (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/place-5_put/outputs")).Ok();
        Assert.EndsWith("/paths/asked/place-4_put/it", outputs.At("out.uri")!.TrimEnd('/'), StringComparison.Ordinal);
        Assert.Equal(1, (long)outputs["out"]!["files"]!);
        await RunAsync("place-6", To("asked/${{name}}/other"));
        Assert.Equal(["run Changed"], await WhyAsync("place-6"));

        await pipelines.ComponentAsync("fails", """{"command":"exit 3","outputs":{"out":{"type":"uri_folder"}}}""");
        const string failing = """{"jobs":{"bad":{"type":"command","componentId":"@fails"}}}""";
        await RunAsync("fails-1", failing);
        var again = await RunAsync("fails-2", failing);
        Assert.Equal("runs: the earlier run fails-1_bad is Failed; only completed runs are reused", again.Steps[0]["summary"]!.ToString());
    }

    [Fact]
    public async Task Nested_pipelines_and_loops_are_reused_step_by_step()
    {
        await ChainAsync("deep");
        await pipelines.ComponentAsync("deep_inner", $$$$"""
            {"type":"pipeline","inputs":{"data":{"type":"uri_folder"}},"outputs":{"out":{"type":"uri_folder"}},
             "jobs":{"a":{"type":"command","componentId":"azureml:{{{{Arm.Main.Id}}}}/components/deep_copy/versions/1","inputs":{"data":"${{parent.inputs.data}}"}},
                     "b":{"type":"command","componentId":"azureml:{{{{Arm.Main.Id}}}}/components/deep_copy/versions/1","inputs":{"data":"${{parent.jobs.a.outputs.out}}"},"outputs":{"out":"${{parent.outputs.out}}"} } } }
            """);
        var pipeline = """
            {"outputs":{"end":{"jobOutputType":"uri_folder"}},
             "jobs":{"make":{"type":"command","componentId":"@deep_make","inputs":{"word":{"value":"deep"}}},
                     "inner":{"type":"pipeline","componentId":"@deep_inner","inputs":{"data":{"value":"${{parent.jobs.make.outputs.out}}"}}},
                     "after":{"type":"command","componentId":"@deep_copy","inputs":{"data":{"value":"${{parent.jobs.inner.outputs.out}}"}},"outputs":{"out":{"value":"${{parent.outputs.end}}"}}}}}
            """;
        await RunAsync("deep-1", pipeline);
        var second = await RunAsync("deep-2", pipeline);
        Assert.Equal(["make", "inner/a", "inner/b", "after"], second.Steps.Select(step => step["step"]!.ToString()));
        Assert.All(second.Steps, step => Assert.Equal("reused", step["decision"]!.ToString()));
        Assert.Equal("deep\n", await pipelines.ReadAsync("azureml://jobs/deep-2/outputs/end/paths/word.txt"));
        Assert.Equal("deep\n", await pipelines.ReadAsync("azureml://jobs/deep-2_inner/outputs/out/paths/word.txt"));
        var plain = (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/deep-2_make/why")).Ok();
        Assert.Equal(("reused", "deep-1_make"), (plain.At("decision"), plain.At("reusedFrom")));
    }

    [Fact]
    public async Task Two_pipelines_at_once_with_the_same_steps_both_end_well()
    {
        await ChainAsync("twice");
        (await pipelines.PutAsync("twice-1", Of("twice", "t"))).Ok();
        (await pipelines.PutAsync("twice-2", Of("twice", "t"))).Ok();
        Assert.Equal("Completed", (await Jobs.EndAsync("twice-1")).Job.At("properties.status"));
        Assert.Equal("Completed", (await Jobs.EndAsync("twice-2")).Job.At("properties.status"));
        Assert.Equal("t\n", await pipelines.ReadAsync("azureml://jobs/twice-2/outputs/end/paths/word.txt"));
    }

    [Fact]
    public async Task A_wide_pipeline_of_many_steps_is_reused_and_a_reader_may_ask_why()
    {
        await ChainAsync("wide");
        var jobs = new JsonObject { ["make"] = JsonNode.Parse("""{"type":"command","componentId":"@wide_make","inputs":{"word":{"value":"w"}}}""") };
        for (var i = 0; i < 30; i++)
        {
            var from = i == 0 ? "make" : $"s{(i - 1) / 2}";
            jobs[$"s{i}"] = JsonNode.Parse("""{"type":"command","componentId":"@wide_copy","inputs":{"data":{"value":"${{parent.jobs.FROM.outputs.out}}"}}}""".Replace("FROM", from, StringComparison.Ordinal));
        }

        var pipeline = new JsonObject { ["jobs"] = jobs }.ToJsonString();
        await RunAsync("wide-1", pipeline);
        var second = await RunAsync("wide-2", pipeline);
        Assert.Equal(31, second.Steps.Count);
        Assert.All(second.Steps, step => Assert.Equal("reused", step["decision"]!.ToString()));

        using var reader = await host.PrincipalAsync("f6c7c914-8db3-469d-8ca1-694a8f32e121");
        using var stranger = await host.PrincipalAsync(null);
        var url = new Uri($"/zaffre/v1{Arm.Main.Id}/jobs/wide-2/why", UriKind.Relative);
        Assert.True((await reader.GetAsync(url)).IsSuccessStatusCode);
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await stranger.GetAsync(url)).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/no-such/why")).Status);
    }

    private IBlobStore Store => host.Get<IBlobStore>();

    private static string Of(string prefix, string word) =>
        Chain.Replace("PRE", prefix, StringComparison.Ordinal).Replace("WORD", word, StringComparison.Ordinal).Replace("ASSET", "reused-" + prefix, StringComparison.Ordinal);

    private string Code(string version) =>
        """{"command":"ls ${{inputs.data}} > ${{outputs.out}}","code":"azureml:ID/codes/CODE/versions/1","inputs":{"data":{"type":"uri_folder"}},"outputs":{"out":{"type":"uri_file"}}}"""
            .Replace("ID", Arm.Main.Id.Value, StringComparison.Ordinal).Replace("CODE", version, StringComparison.Ordinal);

    private async Task ChainAsync(string prefix)
    {
        await pipelines.ComponentAsync(prefix + "_make", """{"command":"echo ${{inputs.word}} > ${{outputs.out}}/word.txt","inputs":{"word":{"type":"string"}},"outputs":{"out":{"type":"uri_folder"}}}""");
        await pipelines.ComponentAsync(prefix + "_copy", """{"command":"cp ${{inputs.data}}/word.txt ${{outputs.out}}/word.txt","inputs":{"data":{"type":"uri_folder"}},"outputs":{"out":{"type":"uri_folder"}}}""");
    }

    private async Task<(IReadOnlyList<JsonObject> Steps, string Log)> RunAsync(string name, string pipeline)
    {
        var put = await pipelines.PutAsync(name, pipeline);
        Assert.True(put.Status == System.Net.HttpStatusCode.Created, put.Body.ToJsonString());
        var (_, log) = await Jobs.EndAsync(name);
        var why = (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/why")).Ok();
        return ([.. why["steps"]!.AsArray().Select(step => step!.AsObject())], log);
    }

    private async Task<string[]> WhyAsync(string name) =>
        [.. (await Arm.GetAsync($"/zaffre/v1{Arm.Main.Id}/jobs/{name}/why")).Ok()["steps"]!.AsArray().Select(step => $"{step!["decision"]} {step["reason"]}")];

    private async Task DataAsync(string name, string version, params (string Name, string Text)[] files)
    {
        foreach (var (file, text) in files)
        {
            await WriteAsync($"azureml://datastores/workspaceblobstore/paths/data-{name}-{version}/{file}", text);
        }

        (await Arm.PutAsync($"~/data/{name}/versions/{version}", $$$"""{"properties":{"dataType":"uri_folder","dataUri":"azureml://datastores/workspaceblobstore/paths/data-{{{name}}}-{{{version}}}/"} }""")).Ok();
    }

    private async Task CodeAsync(string name, params (string Name, string Text)[] files)
    {
        foreach (var (file, text) in files)
        {
            await WriteAsync($"azureml://datastores/workspaceblobstore/paths/code-{name}/{file}", text);
        }

        (await Arm.PutAsync($"~/codes/{name}/versions/1", $$$"""{"properties":{"codeUri":"azureml://datastores/workspaceblobstore/paths/code-{{{name}}}"} }""")).Ok();
    }

    private async Task<string> PlaceAsync(string uri)
    {
        var resolved = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value;
        return resolved.DatastoreUri!.TrimEnd('/');
    }

    private async Task<BlobAddress> AddressAsync(string uri)
    {
        var place = (await host.Get<IUriResolver>().ResolveAsync(Arm.Main, uri, CancellationToken.None)).Value.Blob!;
        return new BlobAddress(place.Account, place.Container, place.Path);
    }

    private async Task WriteAsync(string uri, string text)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        Assert.True((await Store.PutAsync(await AddressAsync(uri), content, new BlobWrite(), CancellationToken.None)).TryGet(out _, out _));
    }
}
