namespace Zaffre.Tests.Clients.Cli;

/// <summary>The verbs around jobs and computes, by the names that az gives them.</summary>
[Collection(ZaffreServer.OfJobs)]
public sealed class JobVerbTests(ZaffreServer server)
{
    private const string Yaml = """
        type: pipeline
        display_name: verbs
        jobs:
          make:
            command: echo here > ${{outputs.out}}/word.txt
            environment: {image: debian}
            outputs:
              out: {path: "azureml://datastores/${{default_datastore}}/paths/verbs/${{name}}/", mode: upload}
          say:
            command: cat ${{inputs.data}}/word.txt > ${{outputs.end}}/end.txt
            environment: {image: debian}
            inputs: {data: "${{parent.jobs.make.outputs.out}}"}
            outputs: {end: "${{parent.outputs.end}}"}
        outputs:
          end: {path: "azureml://datastores/workspaceblobstore/paths/verbs/${{name}}/${{output_name}}/"}
        """;

    [Fact]
    public async Task Steps_are_listed_places_are_shown_and_what_is_said_about_a_job_changes()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-verbs-").FullName;
        var file = Path.Combine(folder, "pipeline.yml");
        await File.WriteAllTextAsync(file, Yaml);
        foreach (var name in new[] { "verbs-1", "verbs-2" })
        {
            await OutAsync("job", "create", "-f", file, "--name", name, "--stream", "-o", "none");
        }

        Assert.Equal(["verbs-1_make", "verbs-1_say"], (await OutAsync("job", "list", "--parent-job-name", "verbs-1", "--query", "[].name", "-o", "tsv")).Split('\n').Order(StringComparer.Ordinal));
        Assert.Equal("verbs-1_make", await OutAsync("job", "list", "-p", "verbs-1", "-r", "1", "--query", "[0].name", "-o", "tsv"));
        Assert.Equal(Path.GetFileName(Path.GetTempPath().TrimEnd('/')), await OutAsync("job", "show", "-n", "verbs-1", "--query", "experiment_name", "-o", "tsv"));
        Assert.EndsWith("/paths/verbs/verbs-1/end/", await OutAsync("job", "show", "-n", "verbs-1", "--query", "outputs.end.path", "-o", "tsv") + "/", StringComparison.Ordinal);
        Assert.EndsWith("/paths/verbs/verbs-1_make/", await OutAsync("job", "show", "-n", "verbs-1_make", "--query", "outputs.out.path", "-o", "tsv") + "/", StringComparison.Ordinal);

        // The second is reused: its files are those of the first.
        Assert.Contains("verbs-1_make", await OutAsync("job", "why", "verbs-2", "--query", "[0].compared_with", "-o", "tsv"), StringComparison.Ordinal);
        await OutAsync("job", "download", "-n", "verbs-2", "--output-name", "end", "-p", folder);
        Assert.Equal("here\n", await File.ReadAllTextAsync(Path.Combine(folder, "named-outputs", "end", "end.txt")));
        await OutAsync("job", "download", "-n", "verbs-1_make", "--output-name", "out", "-p", folder);
        Assert.Equal("here\n", await File.ReadAllTextAsync(Path.Combine(folder, "named-outputs", "out", "word.txt")));

        Assert.Contains("The job verbs-1 has ended as Completed; there is nothing to cancel.", (await server.ZaffreAsync("job", "cancel", "-n", "verbs-1")).Succeeded().Error, StringComparison.Ordinal);
        await OutAsync("job", "update", "-n", "verbs-1", "--set", "display_name=Words", "tags.kind=test", "tags.gone=soon");
        Assert.Equal("Words\ttest", await OutAsync("job", "update", "-n", "verbs-1", "--remove", "tags.gone", "--query", "display_name", "-o", "tsv") + "\t" + await OutAsync("job", "show", "-n", "verbs-1", "--query", "tags.kind", "-o", "tsv"));
        Assert.Contains("'command' of a job cannot change", (await server.ZaffreAsync("job", "update", "-n", "verbs-1", "--set", "command=x")).Error, StringComparison.Ordinal);
        await OutAsync("job", "archive", "-n", "verbs-1");
        Assert.DoesNotContain("verbs-1", (await OutAsync("job", "list", "--query", "[].name", "-o", "tsv")).Split('\n'));
        Assert.Contains("verbs-1", (await OutAsync("job", "list", "--archived-only", "--query", "[].name", "-o", "tsv")).Split('\n'));
        await OutAsync("job", "restore", "-n", "verbs-1");
        Assert.Contains("verbs-1", (await OutAsync("job", "list", "--all-results", "--query", "[].name", "-o", "tsv")).Split('\n'));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Computes_workspaces_and_datastores_have_verbs()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-verbs-").FullName;
        var file = Path.Combine(folder, "cluster.yml");
        await File.WriteAllTextAsync(file, "name: from-file\ntype: amlcompute\nsize: STANDARD_DS3_v2\nmin_instances: 0\nmax_instances: 2\nidle_time_before_scale_down: 120\n");
        await OutAsync("compute", "create", "-f", file, "--set", "max_instances=3");
        await OutAsync("compute", "create", "-n", "from-words", "-t", "AmlCompute", "--size", "STANDARD_DS3_v2", "--max-instances", "2");
        Assert.Equal("3", await OutAsync("compute", "show", "-n", "from-file", "--query", "max_instances", "-o", "tsv"));
        await OutAsync("compute", "update", "-n", "from-words", "--max-instances", "1");
        Assert.Equal("1", await OutAsync("compute", "show", "-n", "from-words", "--query", "max_instances", "-o", "tsv"));
        Assert.Contains("from-words", (await OutAsync("compute", "list", "--query", "[].name", "-o", "tsv")).Split('\n'));
        foreach (var name in new[] { "from-file", "from-words" })
        {
            await OutAsync("compute", "delete", "-n", name, "--yes");
        }

        Assert.NotEqual(0, (await server.ZaffreAsync("compute", "show", "-n", "from-file")).ExitCode);
        Assert.Contains("not made from YAML", (await server.ZaffreAsync("compute", "create", "-n", "x1", "-t", "kubernetes")).Error, StringComparison.Ordinal);
        Assert.Equal("main", await OutAsync("workspace", "show", "--query", "name", "-o", "tsv"));
        Assert.Contains("main", (await OutAsync("workspace", "list", "--query", "[].name", "-o", "tsv")).Split('\n'));
        Assert.Contains("workspaceblobstore", (await OutAsync("datastore", "list", "--query", "[].name", "-o", "tsv")).Split('\n'));
        Assert.Equal("workspaceblobstore", await OutAsync("datastore", "show", "-n", "workspaceblobstore", "--query", "name", "-o", "tsv"));
        Directory.Delete(folder, recursive: true);
    }

    private async Task<string> OutAsync(params string[] arguments) => (await server.ZaffreAsync(arguments)).Succeeded().Output.Trim();
}
