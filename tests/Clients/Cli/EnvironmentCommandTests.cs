using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Zaffre.Tests.Clients.Cli;

[Collection(ZaffreServer.OfJobs)]
public sealed class EnvironmentCommandTests(ZaffreServer server)
{
    [Fact]
    public async Task Zaffre_environment_build_prints_the_log_tells_the_end_by_its_exit_code_and_keeps_what_it_built()
    {
        var folder = Directory.CreateTempSubdirectory("zaffre-environment-").FullName;
        try
        {
            Wheel("zaffre_cli_sample");
            await File.WriteAllTextAsync(Path.Combine(folder, "env.yml"), "name: cli-built\nversion: 1\nimage: debian\nconda_file:\n  dependencies:\n  - pip:\n    - --no-index\n    - zaffre-cli-sample\n");
            await File.WriteAllTextAsync(Path.Combine(folder, "bad.yml"), "name: cli-bad\nversion: 1\nimage: debian\nconda_file:\n  dependencies:\n  - pip:\n    - --no-index\n    - zaffre-nobody-has-this\n");

            var built = (await server.ZaffreAsync("environment", "build", "--file", Path.Combine(folder, "env.yml"), "--query", "state", "-o", "tsv")).Succeeded().Output;
            Assert.Contains("Building a virtual environment for:", built, StringComparison.Ordinal);
            Assert.Contains("Successfully installed zaffre-cli-sample-1.0", built, StringComparison.Ordinal);
            Assert.EndsWith("Succeeded", built.Trim(), StringComparison.Ordinal);

            var again = JsonNode.Parse((await server.ZaffreAsync("environment", "build", "cli-built:1")).Succeeded().Output)!;
            Assert.Equal("Succeeded", again["state"]!.ToString());
            Assert.Contains("zaffre-cli-sample", (await server.ZaffreAsync("environment", "log", "--key", again["key"]!.ToString())).Succeeded().Output, StringComparison.Ordinal);
            Assert.Contains(again["key"]!.ToString(), (await server.ZaffreAsync("environment", "cache", "list", "-o", "table")).Succeeded().Output, StringComparison.Ordinal);

            await JobInItAsync(folder);

            var bad = await server.ZaffreAsync("environment", "build", "--file", Path.Combine(folder, "bad.yml"));
            Assert.Equal(1, bad.ExitCode);
            Assert.Contains("zaffre-nobody-has-this (not installed)", bad.Error, StringComparison.Ordinal);
            Assert.Equal(1, (await server.ZaffreAsync("environment", "build", "nobody")).ExitCode);
            Assert.Equal(1, (await server.ZaffreAsync("environment", "build")).ExitCode);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A job in the environment, what it is held to, and the job once more.</summary>
    private async Task JobInItAsync(string folder)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "job.yml"), "type: command\ncommand: python -c 'import zaffre_cli_sample' && echo seed $ZAFFRE_SEED\nenvironment: azureml:cli-built:1\ncompute: azureml:cpu-cluster\n");
        var first = (await server.ZaffreAsync("job", "create", "--file", Path.Combine(folder, "job.yml"), "--name", "cli-lock", "--stream")).Succeeded().Output;
        var held = JsonNode.Parse((await server.ZaffreAsync("job", "lock", "cli-lock")).Succeeded().Output)!;
        Assert.Equal(("VirtualEnvironment", """{"zaffre-cli-sample":"1.0"}"""), (held["environment"]!["kind"]!.ToString(), held["environment"]!["packages"]!.ToJsonString()));
        Assert.Contains($"seed {held["seed"]}", first, StringComparison.Ordinal);

        var again = (await server.ZaffreAsync("job", "rerun", "cli-lock", "--name", "cli-lock-again", "--stream")).Succeeded().Output;
        Assert.Contains($"seed {held["seed"]}", again, StringComparison.Ordinal);
        Assert.Equal("[]", (await server.ZaffreAsync("job", "diff", "cli-lock", "cli-lock-again", "-o", "json")).Succeeded().Output.Trim());
        Assert.Equal(held["environment"]!["digest"]!.ToString(), (await server.ZaffreAsync("job", "lock", "cli-lock-again", "--query", "heldTo", "-o", "tsv")).Succeeded().Output.Trim());
        (await server.ZaffreAsync("job", "rerun", "cli-lock", "--name", "cli-lock-now", "--environment-as-now", "--stream")).Succeeded();
        Assert.Null(JsonNode.Parse((await server.ZaffreAsync("job", "lock", "cli-lock-now")).Succeeded().Output)!["heldTo"]);
    }

    private void Wheel(string module)
    {
        var wheels = Directory.CreateDirectory(Path.Combine(server.Data, "wheels")).FullName;
        var information = module + "-1.0.dist-info";
        using var wheel = ZipFile.Open(Path.Combine(wheels, module + "-1.0-py3-none-any.whl"), ZipArchiveMode.Create);
        foreach (var (name, content) in new[]
        {
            (module + ".py", ""),
            (information + "/METADATA", $"Metadata-Version: 2.1\nName: {module.Replace('_', '-')}\nVersion: 1.0\n"),
            (information + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            (information + "/RECORD", $"{module}.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n{information}/RECORD,,\n"),
        })
        {
            using var writer = new StreamWriter(wheel.CreateEntry(name).Open());
            writer.Write(content);
        }
    }
}
