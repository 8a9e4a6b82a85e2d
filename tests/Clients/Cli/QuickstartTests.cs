namespace Zaffre.Tests.Clients.Cli;

/// <summary>What a person types first, and the same steps by hand, with the files of the repository.</summary>
[Collection(ZaffreServer.OfAssets)]
public sealed class QuickstartTests(ZaffreServer server)
{
    private static readonly string Repository = Path.GetFullPath(Path.Combine(ZaffreBinary.Python, "..", "..", ".."));
    private static readonly string Example = Path.Combine(Repository, "examples", "iris");
    private static readonly Dictionary<string, string?> Home = new(StringComparer.Ordinal) { ["ZAFFRE_HOME"] = Repository };

    [Fact]
    public async Task Quickstart_trains_registers_deploys_and_predicts_and_leaves_the_server_up()
    {
        var data = Directory.CreateTempSubdirectory("zaffre-quickstart-").FullName;
        try
        {
            var output = (await ZaffreBinary.RunAsync(["quickstart", "--port", "0", "--data", data], Home)).Succeeded().Output;

            Assert.Contains("read 150 flowers from iris.csv", output, StringComparison.Ordinal);
            Assert.Contains("accuracy=1", output, StringComparison.Ordinal);
            Assert.Contains("model iris, version 1", output, StringComparison.Ordinal);
            Assert.Contains("prediction: [{\"species\": \"setosa\"", output, StringComparison.Ordinal);
            Assert.Contains("A server runs on", (await ZaffreBinary.RunAsync(["status", "--data", data])).Succeeded().Output, StringComparison.Ordinal);

            var again = (await ZaffreBinary.RunAsync(["quickstart", "--port", "0", "--data", data], Home)).Succeeded().Output;
            Assert.Contains("model iris, version 2", again, StringComparison.Ordinal);
            Assert.Contains("prediction: [{\"species\": \"setosa\"", again, StringComparison.Ordinal);
        }
        finally
        {
            await ZaffreBinary.RunAsync(["down", "--data", data]);
            await ZaffreServer.DeleteAsync(data);
        }
    }

    [Fact]
    public async Task The_steps_of_the_readme_work_by_hand_under_both_names()
    {
        var model = Path.Combine(server.Data, "..", "model-" + Guid.NewGuid().ToString("N"));
        (await server.ZaffreAsync("ml", "job", "create", "-f", Path.Combine(Example, "job.yml"), "--name", "by-hand", "--stream", "-o", "none")).Succeeded();
        Assert.Equal("Completed", (await server.ZaffreAsync("job", "show", "-n", "by-hand", "--query", "status", "-o", "tsv")).Succeeded().Output.Trim());
        Assert.Contains("by-hand", (await server.ZaffreAsync("job", "list", "--query", "[].name", "-o", "tsv")).Succeeded().Output, StringComparison.Ordinal);

        (await server.ZaffreAsync("job", "download", "-n", "by-hand", "--all", "-p", model)).Succeeded();
        Assert.True(File.Exists(Path.Combine(model, "named-outputs", "model", "model.joblib")));
        Assert.Contains("model written", await File.ReadAllTextAsync(Path.Combine(model, "artifacts", "user_logs", "std_log.txt")), StringComparison.Ordinal);
        Directory.Delete(model, recursive: true);

        (await server.ZaffreAsync("model", "create", "-f", Path.Combine(Example, "model.yml"), "--set", "path=azureml://jobs/by-hand/outputs/model", "name=iris-by-hand")).Succeeded();
        (await server.ZaffreAsync("online-endpoint", "create", "-n", "by-hand-endpoint", "-f", Path.Combine(Example, "endpoint.yml"))).Succeeded();
        (await server.ZaffreAsync("online-deployment", "create", "-f", Path.Combine(Example, "deployment.yml"), "-e", "by-hand-endpoint", "--all-traffic", "--set", "model=azureml:iris-by-hand@latest")).Succeeded();
        Assert.Contains("virginica", (await server.ZaffreAsync("online-endpoint", "invoke", "-n", "by-hand-endpoint", "--request-file", Path.Combine(Example, "request.json"))).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("init() has run", (await server.ZaffreAsync("online-deployment", "get-logs", "-e", "by-hand-endpoint", "-n", "blue")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("Succeeded", (await server.ZaffreAsync("online-deployment", "show", "-e", "by-hand-endpoint", "-n", "blue")).Succeeded().Output, StringComparison.Ordinal);
        (await server.ZaffreAsync("online-endpoint", "delete", "-n", "by-hand-endpoint", "--yes")).Succeeded();
        Assert.NotEqual(0, (await server.ZaffreAsync("online-endpoint", "show", "-n", "by-hand-endpoint")).ExitCode);
    }
}
