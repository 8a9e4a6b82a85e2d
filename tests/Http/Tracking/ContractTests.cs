using System.Diagnostics;

namespace Zaffre.Tests.Http.Tracking;

/// <summary>
/// MLflow's contract: a client written in Python for this suite sends what MLflow's own clients of both generations send, at every mount, and checks every answer
/// field by field against spec/mlflow-rest.json.
/// </summary>
public sealed class ContractTests(ListeningServer server) : IClassFixture<ListeningServer>
{
    [Fact]
    public Task Both_generations_of_MLflow_find_the_contract_they_know_at_every_mount() => PythonAsync("contract_tests.py");

    [Fact]
    public Task Azures_plugin_moves_artifacts_registers_local_models_renews_its_token_and_logs_metrics() => PythonAsync("azureml_tests.py");

    private async Task PythonAsync(string script)
    {
        var job = Path.GetFileNameWithoutExtension(script).Replace('_', '-');
        var python = new ProcessStartInfo("/usr/bin/python3", [ListeningServer.Repository("tests/Http/Tracking/python/" + script)])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment =
            {
                ["PYTHONDONTWRITEBYTECODE"] = "1",
                ["REQUESTS_CA_BUNDLE"] = server.CertificateFile,
                ["TEST_SERVER"] = server.Address,
                ["TEST_TOKEN"] = await server.OwnerTokenAsync(),
                ["TEST_JOB"] = job,
                ["TEST_JOB_TOKEN"] = await server.JobAsync(job),
                ["TEST_OTHER_TOKEN"] = await server.JobAsync(job + "-other"),
                ["TEST_SCOPE"] = server.Workspace.Id.Value,
                ["TEST_REFERENCE"] = ListeningServer.Repository("spec/mlflow-rest.json"),
                ["TEST_DOCUMENT"] = ListeningServer.Repository("docs/tracking.md"),
            },
        };
        using var process = Process.Start(python)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error + await output);
        Assert.Matches(@"Ran \d+ tests?", await error);
    }
}
