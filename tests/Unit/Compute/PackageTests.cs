using System.Text.Json.Nodes;
using Zaffre.Compute.Environments;

namespace Zaffre.Tests.Unit.Compute;

public sealed class PackageTests
{
    [Theory]
    [InlineData("numpy=1.24", "1.24.2", true)]
    [InlineData("numpy=1.24", "1.2.4", false)]
    [InlineData("numpy=1.2", "1.24.2", false)]
    [InlineData("numpy=1.24.*", "1.24.2", true)]
    [InlineData("numpy==1.24.2", "1.24.2", true)]
    [InlineData("numpy==1.24", "1.24.2", false)]
    [InlineData("numpy>=1.20,<2", "1.24.2", true)]
    [InlineData("numpy >=1.25", "1.24.2", false)]
    [InlineData("conda-forge::numpy=1.24.2=py311h_0", "1.24.2", true)]
    public void A_conda_dependency_says_which_versions_do(string declared, string version, bool does)
    {
        var spec = PackageSpec.Conda(declared);

        Assert.Equal("numpy", spec.Name);
        Assert.Equal(does, spec.IsSatisfiedBy(version));
    }

    [Theory]
    [InlineData("scikit_learn", "1.2.1", true)]
    [InlineData("Scikit-Learn[tests]~=1.2.0", "1.2.1", true)]
    [InlineData("scikit-learn~=1.1.0", "1.2.1", false)]
    [InlineData("scikit-learn!=1.2.1", "1.2.1", false)]
    [InlineData("scikit-learn>1.2", "1.2.1", true)]
    [InlineData("scikit-learn>=1.2 ; python_version > '3'", "1.2.1", true)]
    [InlineData("scikit-learn>=1.3", "1.3rc1", false)]
    [InlineData("scikit-learn==1.2.1", "1.2.1+debian1", true)]
    public void A_pip_requirement_says_which_versions_do(string declared, string version, bool does)
    {
        var spec = PackageSpec.Pip(declared)!;

        Assert.Equal("scikit-learn", spec.Name);
        Assert.Equal(does, spec.IsSatisfiedBy(version));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# comment")]
    [InlineData("--index-url https://example.org")]
    public void A_line_that_declares_nothing_is_passed_over(string line) => Assert.Null(PackageSpec.Pip(line));

    [Fact]
    public async Task What_the_host_lacks_is_named_before_anything_runs()
    {
        var answer = await new EnvironmentResolver(new HostInterpreter()).ResolveAsync(Conda("python>=3.8", "pip", "no-such-package=2.0", "other_missing"), CancellationToken.None);

        Assert.Equal("EnvironmentNotSatisfied", answer.Problem?.Code);
        Assert.Contains("no-such-package=2.0 (not installed), other_missing (not installed)", answer.Problem!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_host_has_is_explained()
    {
        var answer = await new EnvironmentResolver(new HostInterpreter()).ResolveAsync(Conda("python>=3.8"), CancellationToken.None);

        Assert.True(answer.Succeeded, answer.Problem?.Message);
        Assert.Contains(answer.Value.Explanation, line => line.Contains("/usr/bin/python3", StringComparison.Ordinal));
        Assert.EndsWith("/runtime", answer.Value.Variables["PYTHONPATH"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("- a\n- b")]
    [InlineData("a: [")]
    public async Task A_conda_file_that_is_none_is_refused(string text)
    {
        var answer = await new EnvironmentResolver(new HostInterpreter()).ResolveAsync(new JsonObject { ["condaFile"] = text }, CancellationToken.None);

        Assert.Equal(("InvalidCondaFile", "properties.condaFile"), (answer.Problem?.Code, answer.Problem?.Target));
    }

    private static JsonObject Conda(params string[] dependencies) =>
        new() { ["image"] = "ubuntu", ["condaFile"] = "dependencies:\n" + string.Concat(dependencies.Select(d => $"- {d}\n")) };
}
