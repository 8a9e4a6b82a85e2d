namespace Zaffre.Tests.Clients.Jobs;

/// <summary>The jobs of <c>tests/Clients/samples</c>, as a person submits them: all at once, by the command line.</summary>
[Collection(ZaffreServer.OfJobs)]
public sealed class SampleTests(ZaffreServer server)
{
    private static readonly string Samples = Path.Combine(ZaffreBinary.Python, "..", "samples");

    [Fact]
    public async Task The_sample_jobs_run_from_their_files_and_leave_what_they_say()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-samples-").FullName;
        string[] samples =
            ["basics/hello", "basics/code", "basics/inputs", "basics/output", "basics/iris-file", "basics/pipeline-io", "basics/pipeline-output-folder", "local_components/pipeline", "one_component/pipeline", "one_component/file", "diabetes/job"];
        await Task.WhenAll(samples.Select(sample => RunAsync(sample, folder)));

        Assert.Equal("greetings\n", Log("basics/hello"));
        Assert.Equal(["note.txt", "show_iris.py"], Log("basics/code").Split('\n').Where(line => line.Contains('.', StringComparison.Ordinal) && !line.Contains(' ', StringComparison.Ordinal)));
        Assert.Contains("usage: show_iris", Log("basics/code"), StringComparison.Ordinal);
        Assert.Equal("good day\n42\n", Log("basics/inputs"));
        Assert.Equal("kept\n", Read("basics/output", "artifacts/outputs/kept.txt"));
        Assert.Contains("iris.csv\n", Log("basics/iris-file").Split("--table: ")[1], StringComparison.Ordinal);
        Assert.Equal(151, Read("basics/iris-file", "artifacts/outputs/iris.csv").Trim().Split('\n').Length);
        Assert.Equal("planet\n", await StepLogAsync("basics/pipeline-io", "hear", folder));
        Assert.Contains($"chosen/{NameOf("basics/pipeline-output-folder")}_place", await StepAsync("basics/pipeline-output-folder", "place", "outputs.place.path"), StringComparison.Ordinal);
        Assert.Equal("lines=3 epochs=20 rate=1.8 schedule=time-based\n", Read("local_components/pipeline", "named-outputs/model/model.txt"));
        Assert.Equal("lines=3 epochs=20 rate=1.8 schedule=time-based\n3\n3\n5\n", Read("local_components/pipeline", "named-outputs/scores/score.txt"));
        Assert.EndsWith(": 3 scores, 11 in all\n", Read("local_components/pipeline", "named-outputs/result/eval_result.txt"), StringComparison.Ordinal);
        Assert.Equal("word: evening\ntable.csv: a,b\n", await StepLogAsync("one_component/pipeline", "show", folder));
        Assert.Equal("made with evening\n", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Combine(At("one_component/pipeline"), "named-outputs", "made"), "file-*.txt"))));
        Assert.Equal("word: hello\ntable.csv: a,b\n", await StepLogAsync("one_component/file", "show", folder));
        Assert.Contains("trained on 331 patients", Log("diabetes/job"), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(At("diabetes/job"), "artifacts", "model", "MLmodel")), Log("diabetes/job"));
        Directory.Delete(folder, recursive: true);

        string At(string sample) => Path.Combine(folder, NameOf(sample));
        string Read(string sample, string path) => File.ReadAllText(Path.Combine(At(sample), path));
        string Log(string sample) => Read(sample, "artifacts/user_logs/std_log.txt");
    }

    [Fact]
    public async Task A_wrong_sample_is_told_with_file_line_and_column_and_nothing_is_submitted()
    {
        var file = Path.Combine(Samples, "local_components", "pipeline.yml");
        var wrong = await server.ZaffreAsync("job", "create", "-f", file, "--name", "wrong-sample", "--set", "inputs.epochs=many", "jobs.score.inputs.model=${{parent.jobs.train.outputs.modle}}", "-o", "none");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("pipeline.yml:30:15 jobs.train.inputs.epochs", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("--set jobs.score.inputs.model", wrong.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, (await server.ZaffreAsync("job", "show", "-n", "wrong-sample", "-o", "none")).ExitCode);
    }

    private static string NameOf(string sample) => "sample-" + sample.Replace('/', '-').Replace('_', '-');

    private async Task RunAsync(string sample, string folder)
    {
        var name = NameOf(sample);
        (await server.ZaffreAsync("job", "create", "-f", Path.Combine(Samples, sample + ".yml"), "--name", name, "--stream", "-o", "none")).Succeeded();
        Assert.Equal("Completed", (await server.ZaffreAsync("job", "show", "-n", name, "--query", "status", "-o", "tsv")).Succeeded().Output.Trim());
        (await server.ZaffreAsync("job", "download", "-n", name, "--all", "-p", Path.Combine(folder, name))).Succeeded();
    }

    private async Task<string> StepLogAsync(string sample, string step, string folder)
    {
        var target = Path.Combine(folder, NameOf(sample), step);
        (await server.ZaffreAsync("job", "download", "-n", $"{NameOf(sample)}_{step}", "-p", target)).Succeeded();
        return await File.ReadAllTextAsync(Path.Combine(target, "artifacts", "user_logs", "std_log.txt"));
    }

    private async Task<string> StepAsync(string sample, string step, string query) =>
        (await server.ZaffreAsync("job", "show", "-n", $"{NameOf(sample)}_{step}", "--query", query, "-o", "tsv")).Succeeded().Output;
}
