using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Zaffre.Compute;
using Zaffre.Compute.Environments;
using Zaffre.Compute.Launch;
using Zaffre.Compute.Operator;
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
        var answer = await Resolver().ResolveAsync(Of(Conda("python>=3.8", "pip", "no-such-package=2.0", "other_missing")), CancellationToken.None);

        Assert.Equal("EnvironmentNotSatisfied", answer.Problem?.Code);
        Assert.Contains("no-such-package=2.0 (not installed), other_missing (not installed); and a virtual environment could not be built: ", answer.Problem!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_python_that_the_host_is_not_is_refused_without_a_build()
    {
        var answer = await Resolver().ResolveAsync(Of(Conda("python=2.7", "no-such-package")), CancellationToken.None);

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
        Assert.Contains("42 /mnt/azureml/home/.python", log, StringComparison.Ordinal);

        var built = File.GetLastWriteTimeUtc(Assert.Single(Directory.GetFiles(rig.Data.Path("environments"), "built.json", SearchOption.AllDirectories)));
        Directory.Delete(rig.Data.Path("wheels"), recursive: true);
        Assert.Equal(real.Interpreter, (await ResolveAsync(document)).Interpreter);
        Assert.Equal(built, File.GetLastWriteTimeUtc(Assert.Single(Directory.GetFiles(rig.Data.Path("environments"), "built.json", SearchOption.AllDirectories))));
    }

    [Fact]
    public async Task What_a_command_installs_goes_over_the_environment_and_wins()
    {
        Wheel("zaffre_sample", "1.0", "ANSWER = 1\ndef main(): print('old', ANSWER)\n");
        Wheel("zaffre_other", "1.0", "ANSWER = 2\ndef main(): print('tool says', ANSWER)\n");
        var real = await ResolveAsync(Conda("zaffre-sample=1.0"));
        Wheel("zaffre_sample", "2.0", "ANSWER = 40\n");
        var below = real.Variables["ZAFFRE_PYTHON_BELOW"];

        var (record, log) = await rig.RunAsync(Command(
            $$"""
            set -e
            pip install zaffre-other
            echo zaffre-sample==2.0 >requirements.txt; python -m pip install -r requirements.txt
            python -c 'import zaffre_sample, zaffre_other; print("both", zaffre_sample.ANSWER + zaffre_other.ANSWER)'
            {{below}}/bin/python -c 'import zaffre_sample; print("below", zaffre_sample.ANSWER)'
            zaffre_other
            touch {{below}}/planted
            """, real));

        Assert.Contains("both 42", log, StringComparison.Ordinal);
        Assert.Contains("below 40", log, StringComparison.Ordinal);
        Assert.Contains("tool says 2", log, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", log, StringComparison.Ordinal);
        Assert.False(record.Succeeded);
        Assert.False(File.Exists(below + "/planted"));
    }

    [Fact]
    public async Task Every_way_to_pip_works_where_only_an_image_is_named()
    {
        Wheel("zaffre_sample", "1.0", "ANSWER = 1\ndef main(): print('tool runs')\n");
        Wheel("zaffre_other", "1.0", "ANSWER = 2\n");
        Wheel("zaffre_third", "1.0", "ANSWER = 3\n");
        var real = await ResolveAsync(new JsonObject { ["image"] = "ubuntu" });

        var (record, log) = await rig.RunAsync(Command(
            """
            set -e
            pip install zaffre-sample && zaffre_sample
            python3 -m pip install --target lib zaffre-other && PYTHONPATH=lib python -c 'import zaffre_other; print("target", zaffre_other.ANSWER)'
            pip3 install --user zaffre-third && python -c 'import zaffre_third; print("user", zaffre_third.ANSWER)'
            /usr/bin/python3 -c 'import zaffre_sample; print("host python", zaffre_sample.ANSWER)'
            /usr/bin/python3 -m pip install --quiet zaffre-other && /usr/bin/python3 -c 'import zaffre_other; print("host pip", zaffre_other.ANSWER)'
            python -m venv own && own/bin/pip install zaffre-third && own/bin/python -c 'import zaffre_third; print("own", zaffre_third.ANSWER)'
            own/bin/python -c 'import zaffre_sample' 2>/dev/null || echo 'own is apart'
            pip uninstall -y zaffre-sample && ! python -c 'import zaffre_sample' 2>/dev/null && echo gone
            """, real));

        Assert.True(record.Succeeded, log);
        Assert.All(new[] { "tool runs", "target 2", "user 3", "host python 1", "host pip 2", "own 3", "own is apart", "gone" }, said => Assert.Contains(said, log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_index_that_fails_twice_is_asked_again_and_one_that_always_fails_is_not_for_ever()
    {
        Wheel("zaffre_sample", "1.0", "ANSWER = 42\n");
        var file = rig.Data.Path("wheels", "zaffre_sample-1.0-py3-none-any.whl");
        var wheel = await File.ReadAllBytesAsync(file);
        File.Delete(file);

        using (var broken = new FlakyIndex(wheel, int.MaxValue))
        {
            var answer = await Resolver(variables: broken.Variables).ResolveAsync(Of(Conda("zaffre-sample>=1")), CancellationToken.None);
            Assert.Equal(("EnvironmentNotSatisfied", 3), (answer.Problem?.Code, broken.Requests));
        }

        using var index = new FlakyIndex(wheel, 2);
        var real = await Resolver(variables: index.Variables).ResolveAsync(Of(Conda("zaffre-sample")), CancellationToken.None);

        Assert.True(real.Succeeded, real.Problem?.Message);
        Assert.Contains("  zaffre-sample: 1.0", real.Value.Explanation);
        var log = await File.ReadAllTextAsync(Path.Combine(real.Value.Variables["ZAFFRE_PYTHON_BELOW"], "..", "..", "build.log"));
        Assert.Contains("Try 1 of 3 failed on the way to the index; the next one begins in 0.01 s.", log, StringComparison.Ordinal);
        Assert.Contains("Try 2 of 3 failed on the way to the index; the next one begins in 0.02 s.", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_index_has_is_asked_for_once()
    {
        var answer = await Resolver().ResolveAsync(Of(Conda("zaffre-nobody")), CancellationToken.None);

        Assert.Equal("EnvironmentNotSatisfied", answer.Problem?.Code);
        Assert.DoesNotContain("Try 1", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(rig.Data.Path("environments"), "build.log", SearchOption.AllDirectories))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_is_as_it_was_serves_again_and_one_that_is_not_is_named()
    {
        var document = Conda("python>=3.8", "pip", "packaging");
        var first = await ResolveAsync(document);
        Assert.Equal((EnvironmentKind.Host, "packaging"), (first.Lock!.Kind, Assert.Single(first.Lock.Packages).Key));
        Assert.True(EnvironmentLock.Read(first.Lock.Text)!.Matches(first.Lock));

        var again = await Resolver().ResolveAsync(Of(document) with { Lock = first.Lock }, CancellationToken.None);
        Assert.Equal((EnvironmentKind.Host, true), (again.Value.Kind, again.Value.Lock!.Matches(first.Lock)));

        var other = first.Lock with { Packages = new Dictionary<string, string>(StringComparer.Ordinal) { ["packaging"] = "0.1", ["zaffre-lost"] = "3.0" } };
        var gone = await Resolver().ResolveAsync(Of(document) with { Lock = other }, CancellationToken.None);
        Assert.Equal("EnvironmentNotSatisfied", gone.Problem?.Code);
        Assert.Contains($"packaging 0.1 is wanted, {first.Lock.Packages["packaging"]} was found; zaffre-lost 3.0 is wanted, none was found.", gone.Problem!.Message, StringComparison.Ordinal);

        gone = await Resolver().ResolveAsync(Of(document) with { Lock = first.Lock with { Python = "3.6.1" } }, CancellationToken.None);
        Assert.Contains($"python 3.6.1 is wanted, {first.Lock.Python} was found.", gone.Problem!.Message, StringComparison.Ordinal);
        gone = await Resolver().ResolveAsync(Of(document) with { Lock = new EnvironmentLock(EnvironmentKind.Container, first.Lock.Python) { Image = "sha256:0" } }, CancellationToken.None);
        Assert.Contains("image sha256:0 is wanted, the host's system was found.", gone.Problem!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_that_need_the_same_environment_share_one_build()
    {
        Wheel("zaffre_sample", "1.0", "");
        var environments = Resolver();

        var all = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => environments.ResolveAsync(Of(Conda("zaffre-sample")), CancellationToken.None)));

        Assert.All(all, one => Assert.Equal(all[0].Value.Interpreter, one.Value.Interpreter));
        Assert.Single(Directory.GetDirectories(rig.Data.Path("environments")));
    }

    [Fact]
    public async Task A_build_that_an_earlier_server_began_is_joined()
    {
        Wheel("zaffre_sample", "1.0", "");
        using var gone = new CancellationTokenSource();
        var first = Resolver().ResolveAsync(Of(Conda("zaffre-sample")), gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var real = (await Resolver(rig.NewLauncher()).ResolveAsync(Of(Conda("zaffre-sample")), CancellationToken.None)).Value;

        Assert.Equal(EnvironmentKind.VirtualEnvironment, real.Kind);
    }

    [Fact]
    public async Task A_build_that_never_finished_does_not_count()
    {
        Wheel("zaffre_sample", "1.0", "");
        var real = await ResolveAsync(Conda("zaffre-sample"));
        File.Delete(Path.Combine(real.Variables["ZAFFRE_PYTHON_BELOW"], "..", "..", "built.json"));
        File.WriteAllText(Path.Combine(real.Variables["ZAFFRE_PYTHON_BELOW"], "half-done"), "");

        var again = await ResolveAsync(Conda("zaffre-sample"));

        Assert.False(File.Exists(Path.Combine(again.Variables["VIRTUAL_ENV"], "half-done")));
    }

    [Theory]
    [InlineData("- a\n- b")]
    [InlineData("a: [")]
    [InlineData("dependencies: numpy\n")]
    [InlineData("dependencies:\n- pip: numpy\n")]
    [InlineData("dependencies:\n- npm:\n  - left-pad\n")]
    [InlineData("dependencies:\n- [numpy]\n")]
    [InlineData("dependencies:\n- pip:\n  - -r requirements.txt\n")]
    [InlineData("dependencies:\n- pip:\n  - -c/etc/hosts\n")]
    [InlineData("dependencies:\n- pip:\n  - \"numpy\\n-r /etc/hosts\"\n")]
    public async Task A_conda_file_that_is_none_is_refused(string text)
    {
        var answer = await Resolver().ResolveAsync(Of(new JsonObject { ["condaFile"] = text }), CancellationToken.None);

        Assert.Equal(("InvalidCondaFile", "properties.condaFile"), (answer.Problem?.Code, answer.Problem?.Target));
    }

    public void Dispose() => rig.Dispose();

    private async Task<RealEnvironment> ResolveAsync(JsonObject document)
    {
        var answer = await Resolver().ResolveAsync(Of(document), CancellationToken.None);
        Assert.True(answer.Succeeded, answer.Problem?.Message);
        return answer.Value;
    }

    private static EnvironmentRequest Of(JsonObject document) => new() { Document = document };

    private EnvironmentResolver Resolver(ITaskLauncher? launcher = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var (cache, pip, options) = (new EnvironmentCache(rig.Data, TimeProvider.System, NullLogger<EnvironmentCache>.Instance), new PipSettings(rig.Data, () => variables ?? NoVariables()), new ComputeOptions { EnvironmentRetryPause = TimeSpan.FromMilliseconds(10) });
        var built = new VirtualEnvironments(cache, pip, launcher ?? rig.Launcher, rig.Admission, options, TimeProvider.System);
        return new EnvironmentResolver(new HostInterpreter(), built, cache, pip, new ComputeFile(rig.Data), null!);
    }

    // No index can be reached, whatever this machine has; wheels are the tests' own.
    private static Dictionary<string, string> NoVariables() => new(StringComparer.Ordinal) { ["PIP_NO_INDEX"] = "1" };

    // As staging does it: a home of its own, with the task's own Python in it.
    private TaskSpec Command(string line, RealEnvironment real)
    {
        var spec = rig.Shell(line);
        var home = rig.Data.Path("blobs", spec.Id.Name, "home");
        Directory.CreateDirectory(home);
        var variables = new Dictionary<string, string>(real.Variables, StringComparer.Ordinal) { ["HOME"] = "/mnt/azureml/home" };
        foreach (var (name, value) in PythonOverlay.Write(real, home, "/mnt/azureml/home"))
        {
            variables[name] = value;
        }

        new FileTree(rig.Data).Hand(rig.Admission.AdmitAsync(default).AsTask().GetAwaiter().GetResult().Value, [home]);
        return spec with { Environment = variables, Binds = [.. real.Binds, .. spec.Binds, new TaskBind(home, "/mnt/azureml/home", Writable: true)] };
    }

    private void Wheel(string module, string version, string code)
    {
        Directory.CreateDirectory(rig.Data.Path("wheels"));
        var information = $"{module}-{version}.dist-info";
        using var wheel = ZipFile.Open(rig.Data.Path("wheels", $"{module}-{version}-py3-none-any.whl"), ZipArchiveMode.Create);
        Add(wheel, information + "/entry_points.txt", $"[console_scripts]\n{module} = {module}:main\n");
        Add(wheel, module + ".py", code);
        Add(wheel, information + "/METADATA", $"Metadata-Version: 2.1\nName: {module.Replace('_', '-')}\nVersion: {version}\n");
        Add(wheel, information + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
        Add(wheel, information + "/RECORD", $"{module}.py,,\n{information}/METADATA,,\n{information}/WHEEL,,\n{information}/RECORD,,\n{information}/entry_points.txt,,\n");
    }

    private static void Add(ZipArchive archive, string name, string content)
    {
        using var writer = new StreamWriter(archive.CreateEntry(name).Open());
        writer.Write(content);
    }

    private static JsonObject Conda(params string[] dependencies) =>
        new() { ["image"] = "ubuntu", ["condaFile"] = "dependencies:\n" + string.Concat(dependencies.Select(d => $"- {d}\n")) };
}
