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
