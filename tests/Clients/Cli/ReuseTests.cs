namespace Zaffre.Tests.Clients.Cli;

/// <summary>The same pipeline file again, and after a change of its code, at the command line.</summary>
[Collection(ZaffreServer.OfJobs)]
public sealed class ReuseTests(ZaffreServer server)
{
    private const string Yaml = """
        type: pipeline
        experiment_name: cli-reuse
        jobs:
          clean:
            command: sh clean.sh > ${{outputs.out}}/word.txt
            code: ./src
            environment: {image: debian}
            outputs:
              out: {type: uri_folder}
          count:
            command: wc -c ${{inputs.data}}/word.txt > ${{outputs.out}}
            environment: {image: debian}
            inputs:
              data: ${{parent.jobs.clean.outputs.out}}
            outputs:
              out: {type: uri_file}
        """;

    [Fact]
    public async Task A_pipeline_file_is_reused_and_a_changed_line_is_named()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-reuse-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "src"));
        await File.WriteAllTextAsync(Path.Combine(folder, "pipeline.yml"), Yaml);
        await File.WriteAllTextAsync(Path.Combine(folder, "src", "clean.sh"), "# one\necho first\n# end\n");
        async Task<string> RunAsync(string name)
        {
            (await server.ZaffreAsync("job", "create", "-f", Path.Combine(folder, "pipeline.yml"), "--name", name, "--stream", "-o", "none")).Succeeded();
            return (await server.ZaffreAsync("job", "why", name)).Succeeded().Output;
        }

        Assert.Contains("runs: no earlier run of this step is known", await RunAsync("cli-reuse-1"), StringComparison.Ordinal);
        var second = await RunAsync("cli-reuse-2");
        Assert.Contains("reused from the job cli-reuse-1_clean: nothing that it sees has changed", second, StringComparison.Ordinal);
        Assert.Contains("reused from the job cli-reuse-1_count", second, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(folder, "src", "clean.sh"), "# one\necho second\n# end\n");
        var third = await RunAsync("cli-reuse-3");
        Assert.Contains("runs: `clean.sh` changed: line 2", third, StringComparison.Ordinal);
        Assert.Contains("runs: input data changed: 1 file differs: word.txt", third, StringComparison.Ordinal);
        var step = (await server.ZaffreAsync("job", "why", "cli-reuse-3_clean", "-o", "json", "--query", "differences[0].text")).Succeeded().Output;
        Assert.Contains("clean.sh", step, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }
}
