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
}
