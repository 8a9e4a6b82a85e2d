using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Zaffre.Compute;
using Zaffre.Compute.Environments;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

/// <summary>Environments made real. Packages come from wheels that the tests write themselves: no index is asked for anything that must be found.</summary>
public sealed class EnvironmentTests : IDisposable
{
    private readonly TaskRig rig = new();

    [Fact]
    public async Task What_the_host_has_is_explained()
    {
        var real = await ResolveAsync(Conda("python>=3.8"));

        Assert.Equal(EnvironmentKind.Host, real.Kind);
        Assert.Contains(real.Explanation, line => line.Contains("/usr/bin/python3", StringComparison.Ordinal));
        Assert.EndsWith("/runtime", real.Variables["PYTHONPATH"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_host_lacks_and_no_index_has_is_named_before_anything_runs()
    {
        var answer = await Resolver().ResolveAsync(Conda("python>=3.8", "pip", "no-such-package=2.0", "other_missing"), CancellationToken.None);

        Assert.Equal("EnvironmentNotSatisfied", answer.Problem?.Code);
        Assert.Contains("no-such-package=2.0 (not installed), other_missing (not installed); and a virtual environment could not be built: ", answer.Problem!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_python_that_the_host_is_not_is_refused_without_a_build()
    {
        var answer = await Resolver().ResolveAsync(Conda("python=2.7", "no-such-package"), CancellationToken.None);

        Assert.Equal("EnvironmentNotSatisfied", answer.Problem?.Code);
        Assert.Contains("python=2.7 (the host has 3", answer.Problem!.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(rig.Data.Path("environments")));
    }

    [Fact]
    public async Task What_the_host_lacks_is_built_once_and_found_by_commands()
    {
        Wheel("zaffre_sample", "1.2.3", "print('imported', __name__)\nANSWER = 42\n");
        var document = Conda("python>=3.8", "zaffre-sample=1.2");

        var real = await ResolveAsync(document);

        Assert.Equal(EnvironmentKind.VirtualEnvironment, real.Kind);
        Assert.Contains("  zaffre-sample: 1.2.3", real.Explanation);
        var (record, log) = await rig.RunAsync(Command("python -c 'import zaffre_sample, sys; print(zaffre_sample.ANSWER, sys.prefix)'", real));
        Assert.True(record.Succeeded, log);
        Assert.Contains($"42 {real.Interpreter[..^"/bin/python".Length]}", log, StringComparison.Ordinal);

        var built = File.GetLastWriteTimeUtc(Assert.Single(Directory.GetFiles(rig.Data.Path("environments"), "built.json", SearchOption.AllDirectories)));
        Directory.Delete(rig.Data.Path("wheels"), recursive: true);
        Assert.Equal(real.Interpreter, (await ResolveAsync(document)).Interpreter);
        Assert.Equal(built, File.GetLastWriteTimeUtc(Assert.Single(Directory.GetFiles(rig.Data.Path("environments"), "built.json", SearchOption.AllDirectories))));
    }

    [Fact]
    public async Task What_a_command_installs_goes_beside_the_environment_and_wins()
    {
        Wheel("zaffre_sample", "1.0", "ANSWER = 1\n");
        Wheel("zaffre_other", "1.0", "ANSWER = 2\n");
        var real = await ResolveAsync(Conda("zaffre-sample"));

        var (record, log) = await rig.RunAsync(Command(
            $"pip install --no-index --find-links {rig.Data.Path("wheels")} zaffre-other && python -c 'import zaffre_sample, zaffre_other; print(\"both\", zaffre_sample.ANSWER + zaffre_other.ANSWER)'; touch {real.Variables["VIRTUAL_ENV"]}/planted",
            real,
            new TaskBind(rig.Data.Path("wheels"), rig.Data.Path("wheels"))));

        Assert.Contains("both 3", log, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", log, StringComparison.Ordinal);
        Assert.False(record.Succeeded);
        Assert.False(File.Exists(real.Variables["VIRTUAL_ENV"] + "/planted"));
    }

    [Fact]
    public async Task Many_that_need_the_same_environment_share_one_build()
    {
        Wheel("zaffre_sample", "1.0", "");
        var environments = Resolver();

        var all = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => environments.ResolveAsync(Conda("zaffre-sample"), CancellationToken.None)));

        Assert.All(all, one => Assert.Equal(all[0].Value.Interpreter, one.Value.Interpreter));
        Assert.Single(Directory.GetDirectories(rig.Data.Path("environments")));
    }

    [Fact]
    public async Task A_build_that_an_earlier_server_began_is_joined()
    {
        Wheel("zaffre_sample", "1.0", "");
        using var gone = new CancellationTokenSource();
        var first = Resolver().ResolveAsync(Conda("zaffre-sample"), gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var real = (await Resolver(rig.NewLauncher()).ResolveAsync(Conda("zaffre-sample"), CancellationToken.None)).Value;

        Assert.Equal(EnvironmentKind.VirtualEnvironment, real.Kind);
    }

    [Fact]
    public async Task A_build_that_never_finished_does_not_count()
    {
        Wheel("zaffre_sample", "1.0", "");
        var real = await ResolveAsync(Conda("zaffre-sample"));
        File.Delete(Path.Combine(real.Variables["VIRTUAL_ENV"], "..", "..", "built.json"));
        File.WriteAllText(Path.Combine(real.Variables["VIRTUAL_ENV"], "half-done"), "");

        var again = await ResolveAsync(Conda("zaffre-sample"));

        Assert.False(File.Exists(Path.Combine(again.Variables["VIRTUAL_ENV"], "half-done")));
    }

    [Theory]
    [InlineData("- a\n- b")]
    [InlineData("a: [")]
    [InlineData("dependencies:\n- pip:\n  - -r requirements.txt\n")]
    [InlineData("dependencies:\n- pip:\n  - -c/etc/hosts\n")]
    [InlineData("dependencies:\n- pip:\n  - \"numpy\\n-r /etc/hosts\"\n")]
    public async Task A_conda_file_that_is_none_is_refused(string text)
    {
        var answer = await Resolver().ResolveAsync(new JsonObject { ["condaFile"] = text }, CancellationToken.None);

        Assert.Equal(("InvalidCondaFile", "properties.condaFile"), (answer.Problem?.Code, answer.Problem?.Target));
    }

    public void Dispose() => rig.Dispose();

    private async Task<RealEnvironment> ResolveAsync(JsonObject document)
    {
        var answer = await Resolver().ResolveAsync(document, CancellationToken.None);
        Assert.True(answer.Succeeded, answer.Problem?.Message);
        return answer.Value;
    }

    private EnvironmentResolver Resolver(ITaskLauncher? launcher = null) => new(
        new HostInterpreter(),
        new VirtualEnvironments(rig.Data, launcher ?? rig.Launcher, rig.Admission, new ComputeOptions(), TimeProvider.System, NullLogger<VirtualEnvironments>.Instance));

    private TaskSpec Command(string line, RealEnvironment real, params TaskBind[] more)
    {
        var spec = rig.Shell(line);
        var variables = new Dictionary<string, string>(real.Variables, StringComparer.Ordinal) { ["HOME"] = "/tmp", ["PYTHONUSERBASE"] = "/tmp/.local", ["PIP_USER"] = "1" };
        return spec with { Environment = variables, Binds = [.. real.Binds, .. spec.Binds, .. more] };
    }

    private void Wheel(string module, string version, string code)
    {
        Directory.CreateDirectory(rig.Data.Path("wheels"));
        var information = $"{module}-{version}.dist-info";
        using var wheel = ZipFile.Open(rig.Data.Path("wheels", $"{module}-{version}-py3-none-any.whl"), ZipArchiveMode.Create);
        Add(wheel, module + ".py", code);
        Add(wheel, information + "/METADATA", $"Metadata-Version: 2.1\nName: {module.Replace('_', '-')}\nVersion: {version}\n");
        Add(wheel, information + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
        Add(wheel, information + "/RECORD", $"{module}.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n{information}/RECORD,,\n");
    }

    private static void Add(ZipArchive archive, string name, string content)
    {
        using var writer = new StreamWriter(archive.CreateEntry(name).Open());
        writer.Write(content);
    }

    private static JsonObject Conda(params string[] dependencies) =>
        new() { ["image"] = "ubuntu", ["condaFile"] = "dependencies:\n" + string.Concat(dependencies.Select(d => $"- {d}\n")) };
}
