using System.Text.Json.Nodes;

namespace Zaffre.Tests.Clients.Cli;

/// <summary>Plans at the command line, with the exit codes that a script of a CI system reads.</summary>
[Collection(ZaffreServer.OfJobs)]
public sealed class PlanTests(ZaffreServer server)
{
    private const string Yaml = """
        type: pipeline
        experiment_name: cli-plan
        jobs:
          clean:
            command: sh clean.sh > ${{outputs.out}}/word.txt
            code: ./src
            environment: {image: debian}
            outputs:
              out: {type: uri_folder}
          count:
            component: ./count.yml
            inputs:
              data: ${{parent.jobs.clean.outputs.out}}
        """;

    private const string Count = """
        type: command
        command: wc -c ${{inputs.data}}/word.txt > ${{outputs.out}}/count.txt
        code: ./counting
        additional_includes: [./lib]
        environment: {image: debian}
        inputs: {data: {type: uri_folder}}
        outputs: {out: {type: uri_folder}}
        """;

    [Fact]
    public async Task A_plan_tells_what_the_job_then_does_and_its_exit_code_says_whether_that_is_anything()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-plan-").FullName;
        async Task WriteAsync(string name, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            await File.WriteAllTextAsync(Path.Combine(folder, name), text);
        }

        var file = Path.Combine(folder, "pipeline.yml");
        foreach (var (name, text) in new[] { ("pipeline.yml", Yaml), ("count.yml", Count), ("src/clean.sh", "# one\necho first\n# end\n"), ("src/skip.log", "x"), ("src/.amlignore", "*.log\n"), ("counting/a.txt", "a"), ("lib/b.txt", "b") })
        {
            await WriteAsync(name, text);
        }

        Task<CommandResult> PlanAsync(params string[] more) => server.ZaffreAsync(["job", "create", "-f", file, "--plan", .. more]);

        // At first everything is to be made; nothing is.
        var first = await PlanAsync("--detailed-exitcode");
        Assert.Equal(2, first.ExitCode);
        Assert.Contains("runs: no earlier run of this step is known", first.Output, StringComparison.Ordinal);
        Assert.Contains("depends on clean.outputs.out", first.Output, StringComparison.Ordinal);
        Assert.Contains("Total: 1 to run, 0 reused, 1 not known yet, 4 files to upload", first.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await PlanAsync()).ExitCode);
        Assert.NotEqual(0, (await server.ZaffreAsync("job", "show", "-n", "cli-plan-1")).ExitCode);

        // The same file, submitted: the hashes that the plan told are those of the uploads.
        (await server.ZaffreAsync("job", "create", "-f", file, "--name", "cli-plan-1", "--stream", "-o", "none")).Succeeded();
        var again = await PlanAsync("--detailed-exitcode", "-n", "cli-plan-2");
        Assert.True(again.ExitCode == 0, again.Output + again.Error);
        Assert.Contains("reused from the job cli-plan-1_count", again.Output, StringComparison.Ordinal);
        Assert.Contains("already there", again.Output, StringComparison.Ordinal);
        Assert.Contains("exists (same content as ", again.Output, StringComparison.Ordinal);
        Assert.Contains("Total: 0 to run, 2 reused, nothing to upload, 0 assets to create.", again.Output, StringComparison.Ordinal);

        // A line changes; a value is set.
        await WriteAsync("src/clean.sh", "# one\necho second\n# end\n");
        var changed = await PlanAsync("-o", "json");
        var plan = JsonNode.Parse(changed.Succeeded().Output)!;
        Assert.Equal("runs: `clean.sh` changed: line 2", plan["steps"]![0]!["summary"]!.ToString());
        Assert.Equal("clean.outputs.out", plan["steps"]![1]!["dependsOn"]![0]!.ToString());
        Assert.Contains("forced, by force_rerun", (await PlanAsync("--set", "settings.force_rerun=true")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("run", (await PlanAsync("--query", "steps[0].decision")).Succeeded().Output, StringComparison.Ordinal);

        // Mistakes, all at once, end with 1: in the YAML, in the files, and in what a job would be made of.
        var wrong = await PlanAsync("--detailed-exitcode", "--set", "jobs.clean.compute=azureml:nowhere", "--set", "jobs.count.inputs.data=${{parent.jobs.clean.outputs.no}}");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("nowhere", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("'no'", wrong.Error, StringComparison.Ordinal);
        await WriteAsync("pipeline.yml", Yaml.Replace("./src", "./gone", StringComparison.Ordinal));
        Assert.Matches("pipeline.yml:6:11 jobs.clean.code: .*/gone does not exist", (await PlanAsync()).Error);
        Assert.Equal(1, (await server.ZaffreAsync("job", "create", "-f", file, "--detailed-exitcode")).ExitCode);
        Directory.Delete(folder, recursive: true);
    }
}
